# SPDX-License-Identifier: Apache-2.0
"""Containers that stop, look into and reach for the processes of the shim that come to them, whatever they may do."""
import pathlib
import time

import grpc

import starters
from berth import program

HANDLERS = ("crun", "runc")

# It stops every process but itself, so that none gets from one step to the next unseen, looks at all that are not the
# container's own, and lets them go on. What is a fork of the shim or the shim itself is "seen", with other words behind that when
# its file is not on a read-only mount (to be busy is not enough: it is not always).
ATTACK = """
mkdir /mnt
while [ ! -e /begin ]; do sleep 0.05; done
while [ ! -e /end ]; do
    kill -STOP -1 2>/dev/null
    for p in /proc/[0-9]*; do
        [ $p = /proc/$$ ] && continue
        for place in root cwd; do
            cat "$p/$place$SECRET" "$p/$place/$UP$SECRET" 2>/dev/null
        done
        for fd in $p/fd/*; do
            link=$(readlink $fd)
            case $link in ''|/|/begin|/evil|/end|/etc/passwd|/dev/null|pipe:*|socket:*) ;; *) echo "descriptor $link";; esac
            cat "$fd$SECRET" "$fd/$UP$SECRET" 2>/dev/null
        done
        case $(readlink $p/exe) in *shim*)
            words=$({ echo evil >$p/exe; } 2>&1)
            case $(readlink $p/exe) in *shim*) echo "seen $words" | sed 's/ .*: Read-only file system$//';; esac
            mount -o bind $p/exe /mnt 2>/dev/null && mount -o remount,rw,bind /mnt && echo evil >/mnt && echo written
            cp $p/exe /copy 2>/dev/null;; esac
    done
    kill -CONT -1 2>/dev/null
done
"""


def spare_the_secret(berth):
    secret = berth.dir / "secret"
    secret.write_text("of the node\n", encoding="utf-8")
    return str(secret)


def attacker(berth, handler, *capabilities):
    pod = berth.run_pod(handler=handler, host_network=True)
    script = f"SECRET={spare_the_secret(berth)}\nUP={'../' * 12}\n{ATTACK}"
    # The default profile of AppArmor forbids to look at who is not under it.
    linux = {"security_context": {"capabilities": {"add_capabilities": list(capabilities)},
                                  "apparmor": {"profile_type": "Unconfined"}}}
    container = berth.sh(pod, script, linux=linux)
    # The OCI runtime's processes are not what is looked at. It does what comes before berthd knows the runtimes, and
    # before the container's first process has been left to the shim.
    starters.wait_for_shim(berth, container)
    assert berth.exec_sync(container, "touch", "/begin")[0] == 0
    return container


def end(berth, container):
    """What it found out."""
    berth.exec_sync(container, "touch", "/end")
    berth.wait_exited(container, timeout=30)
    return berth.output(container)


def shims(berth):
    path = pathlib.Path(berth.config["shim"])
    return path.read_bytes(), path.stat().st_ctime_ns


def test_who_may_trace_everybody_sees_nothing_of_the_node(berth):
    before = shims(berth)
    for handler in HANDLERS:
        container = attacker(berth, handler, "ALL")
        until = time.monotonic() + 200
        while "seen\n" not in berth.output(container):
            assert berth.exec_sync(container, "true", timeout=30)[0] == 0
            assert time.monotonic() < until, "nothing was seen"
        for _ in range(30):
            assert berth.exec_sync(container, "true", timeout=30)[0] == 0
        out = end(berth, container)
        assert set(out.splitlines()) == {"seen"}, (handler, out)
    assert shims(berth) == before


def test_others_do_not_even_see_what_runs(berth):
    before = shims(berth)
    for handler in HANDLERS:
        container = attacker(berth, handler)
        for _ in range(50):
            assert berth.exec_sync(container, "true", timeout=30)[0] == 0
        out = end(berth, container)
        assert out == "", (handler, out)
    assert shims(berth) == before


def test_a_program_that_is_the_shim_itself(berth):
    before = shims(berth)
    for handler in HANDLERS:
        watcher = attacker(berth, handler, "ALL")
        assert berth.exec_sync(watcher, "sh", "-c", "echo '#!/proc/self/exe' >/evil; chmod +x /evil; "
                               "ln -s /proc/self/exe /link", timeout=30)[0] == 0
        for name in ("/evil", "/link", "/proc/self/exe") * 5:
            try:
                code, out, _ = berth.exec_sync(watcher, name, timeout=30)
                assert (code, out) == (1, ""), (name, code, out)
            except grpc.RpcError as e:
                assert e.code() == grpc.StatusCode.UNKNOWN, e  # the runtime has words for it
        out = end(berth, watcher)
        assert set(out.splitlines()) <= {"seen"}, (handler, out)
        assert berth.exec_sync(berth.run(berth.run_pod(handler=handler), "sleep", "9"), "echo", "well")[1] == "well\n"
    assert shims(berth) == before and before[0] == pathlib.Path(program("containerd-shim-berth-v2")).read_bytes()


def test_a_working_folder_that_becomes_a_link(berth):
    secret = spare_the_secret(berth)
    targets = [f"/proc/self/fd/{n}" for n in range(0, 12)]
    targets += ["/proc/self/root/..", "/proc/self/cwd", "/proc/1/root", "/proc/thread-self/cwd/..", "../../../.."]
    for handler in HANDLERS:
        container = berth.run(berth.run_pod(handler=handler, host_network=True), "sleep", "1000", working_dir="/cwd")
        for target in targets:
            retarget(berth, container, target)
            try:
                code, out, _ = berth.exec_sync(container, "sh", "-c", f"pwd; cat {'../' * 12}{secret[1:]}; ls -d ../tmp/*")
            except grpc.RpcError:
                continue
            assert "of the node" not in out and "berth-scenario" not in out, (handler, target, code, out)


def retarget(berth, container, target):
    """From outside, because no exec may succeed while the folder is somewhere else."""
    root = pathlib.Path(f"/proc/{berth.pid(container)}/root")
    folder = root / "cwd"
    if folder.is_symlink():
        folder.unlink()
    else:
        folder.rmdir()
    folder.symlink_to(target)
