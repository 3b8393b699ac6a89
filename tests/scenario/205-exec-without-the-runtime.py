# SPDX-License-Identifier: Apache-2.0
"""Execs that the shim starts by itself see what those see that crun and runc start."""
import contextlib
import pathlib
import re

import grpc

import cgroups
import starters
from userns import Pod

HANDLERS = ("crun", "runc")

# What the process of an exec is: sections of lines, each under a name.
PROBE = """
section() { echo "== $1"; }
p=/proc/$$
section status; grep -vE '^(Name|State|Tgid|Ngid|Pid|PPid|NS.*|Vm.*|Rss.*|Huge.*|FDSize|Threads|.*ctxt.*):' $p/status | sed 's|^SigQ:.*/|SigQ: |'
section session; awk '{ print $5 - $1, $6 - $1, $7, $8, $19 }' $p/stat
section limits; cat $p/limits
section namespaces; for n in $p/ns/*; do readlink $n; done
section cgroup; cat $p/cgroup
section lsm; cat $p/attr/current 2>&1
section environ; tr '\\0' '\\n' <$p/environ | sort
section cwd; readlink $p/cwd
section root; ls -di / | awk '{print $1}'
section streams; for i in 0 1 2; do readlink $p/fd/$i | sed 's/[0-9]*//g'; stat -L -c '%u %a' $p/fd/$i; done
section descriptors; for fd in $p/fd/*; do echo ${fd##*/}; done
section oom; cat $p/oom_score_adj
section keys; grep -o '_ses[^:]*' /proc/keys | sort -u
section loginuid; cat $p/loginuid 2>&1
section personality; cat $p/personality 2>&1
section timers; cat $p/timerslack_ns 2>&1
true
"""

SECURE = {"seccomp": {"profile_type": 0}, "no_new_privs": True}
CONTAINERS = {
    "root": {},
    "user": {"linux": {"security_context": {"run_as_user": {"value": 4321}, "run_as_group": {"value": 77},
                                            "supplemental_groups": [7, 5]}}},
    "user of the image": {"linux": {"security_context": {"run_as_user": {"value": 65534}}}},
    "capabilities": {"linux": {"security_context": {"capabilities": {
        "add_capabilities": ["NET_ADMIN", "SYS_TIME"], "drop_capabilities": ["CHOWN", "MKNOD"]}}}},
    "all": {"linux": {"security_context": {"capabilities": {"add_capabilities": ["ALL"]}}}},
    "none": {"linux": {"security_context": {"capabilities": {"drop_capabilities": ["ALL"]}}}},
    "ambient": {"linux": {"security_context": {"run_as_user": {"value": 4321}, "capabilities": {
        "add_ambient_capabilities": ["NET_RAW"], "add_capabilities": ["NET_RAW"]}}}},
    "no new privileges": {"linux": {"security_context": {"no_new_privs": True}}},
    "seccomp": {"linux": {"security_context": {"seccomp": {"profile_type": 0}}}},
    "secure": {"linux": {"security_context": {**SECURE, "run_as_user": {"value": 4321}, "readonly_rootfs": True,
                                              "capabilities": {"drop_capabilities": ["ALL"]}}}},
    "unconfined": {"linux": {"security_context": {"seccomp": {"profile_type": 1}}}},
    "pid of the node": {"linux": {"security_context": {"namespace_options": {"pid": "NODE"}}}},
    "folder and environment": {"working_dir": "/usr/share/deep", "envs": [
        {"key": "A", "value": b"b c"}, {"key": "HOME", "value": b"/elsewhere"}, {"key": "TERM", "value": b"vt"}]},
    "resources": {"linux": {"resources": {"memory_limit_in_bytes": 64 << 20, "cpu_shares": 512, "cpu_quota": 50000,
                                          "cpu_period": 100000, "cpuset_cpus": "0", "oom_score_adj": 500}}},
}


@contextlib.contextmanager
def by_runtime(berth):
    """berthd leaves every exec to the OCI runtime."""
    for runtime in berth.config["runtimes"].values():
        runtime["exec"] = "runtime"
    berth.restart()
    yield
    for runtime in berth.config["runtimes"].values():
        runtime["exec"] = "auto"
    berth.restart()


def look(berth, container):
    code, out, err = berth.exec_sync(container, "sh", "-c", PROBE)
    assert code == 0, err
    return {name: lines for name, _, lines in (part.partition("\n") for part in out.split("== ")[1:])}


def compare(berth, handler, containers):
    """containers: name → id."""
    for container in containers.values():
        starters.wait_for_shim(berth, container)
    before = starters.count(berth)
    direct = {name: look(berth, container) for name, container in containers.items()}
    now = starters.count(berth)
    assert now == (before[0] + len(containers), before[1]), (before, now)
    with by_runtime(berth):
        before = starters.count(berth)
        theirs = {name: look(berth, container) for name, container in containers.items()}
        assert starters.count(berth) == (before[0], before[1] + len(containers))
    for name, container in containers.items():
        ours, wanted = direct[name], theirs[name]
        init = open(f"/proc/{berth.pid(container)}/oom_score_adj", encoding="ascii").read()
        assert ours.pop("oom") == init, (handler, name)
        wanted.pop("oom")
        if handler == "crun":
            # It leaves the process in the group of another, which has ended, gives it the session keyring of who
            # started it, and no HOME to who is not in /etc/passwd; then ours are as runc has them.
            assert ours.pop("session").split()[:2] == ["0", "0"]
            wanted.pop("session"), ours.pop("keys"), wanted.pop("keys")
            if "HOME=" not in wanted["environ"]:
                ours["environ"] = ours["environ"].replace("HOME=/\n", "")
        if handler == "runc":
            # The limit of open files is what Go's runtime has made of it, in versions that do not undo that.
            # Of the keyrings of all that are root, its own counts.
            for seen in ours, wanted:
                seen["keys"] = f"_ses.{container}" in seen["keys"].splitlines()
                seen["limits"] = re.sub("Max open files.*", "", seen["limits"])
        for section, lines in wanted.items():
            assert ours[section] == lines, f"{handler}, {name}, {section}:\n{ours[section]}instead of\n{lines}"


def test_a_process_is_the_same_by_either_way(berth):
    for handler in HANDLERS:
        pod = berth.run_pod(handler=handler)
        wanted = {name: more for name, more in CONTAINERS.items() if handler == "crun" or "secc" not in str(more)}
        compare(berth, handler, {name: berth.sh(pod, "mkdir -p /usr/share/deep; exec sleep 1000", **more)
                                 for name, more in wanted.items()})


def test_in_pods_of_all_kinds(berth):
    for handler in HANDLERS:
        shared = berth.run_pod(handler=handler, linux={"security_context": {"namespace_options": {"pid": "POD"}}})
        mighty = {"security_context": {"privileged": True}}
        node = berth.run_pod(handler=handler, host_network=True, linux=mighty)
        target = berth.run(node, "sleep", "1000")
        inside = {"security_context": {"namespace_options": {"pid": "TARGET", "target_id": target}}}
        compare(berth, handler, {
            "shared pid": berth.run(shared, "sleep", "1000",
                                    linux={"security_context": {"namespace_options": {"pid": "POD"}}}),
            "host network": target,
            "pid of another": berth.run(node, "sleep", "1000", linux=inside),
            "privileged": berth.run(node, "sleep", "1000", linux=mighty, pod_linux=mighty),
        })


def test_in_a_user_namespace(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        compare(berth, handler, {
            "root": pod.start("exec sleep 1000"),
            "user": pod.start("exec sleep 1000", security={"run_as_user": {"value": 4321}}),
        })


def test_what_only_the_runtime_knows_it_does(berth):
    seccomp = {"security_context": {"seccomp": {"profile_type": 0}}}
    container = berth.run(berth.run_pod(handler="runc", host_network=True), "sleep", "1000", linux=seccomp)
    assert berth.exec_sync(container, "grep", "Seccomp:", "/proc/self/status")[1].split() == ["Seccomp:", "2"]
    assert starters.count(berth) == (0, 1)


def failure(berth, container, *cmd):
    try:
        return berth.exec_sync(container, *cmd)
    except grpc.RpcError as e:
        return e.code(), e.details().replace(container, "ID")


def test_what_cannot_be_done_fails_with_the_same_words(berth):
    commands = [["/no/such/program"], ["no-such-program"], ["/etc"], ["/etc/passwd"], ["/tmp/script"], ["./x"], [""],
                ["/tmp/loop"], ["sh", "-c", "exit 127"], ["x" * 5000], ["sh", "-c", "kill -9 $$"]]
    for handler in HANDLERS:
        pod = berth.run_pod(handler=handler, host_network=True)
        containers = [berth.sh(pod, "mkdir -p /gone /tmp; cd /tmp; echo '#!/no/such/interpreter' > script; "
                                    "chmod +x script; ln -s loop loop; rmdir /gone; exec sleep 1000", **more)
                      for more in ({}, {"working_dir": "/gone"},
                                   {"linux": {"security_context": {"run_as_user": {"value": 4321}}}})]
        starters.wait_for_shim(berth, containers[0])
        direct = [failure(berth, c, *cmd) for c in containers for cmd in commands]
        with by_runtime(berth):
            theirs = [failure(berth, c, *cmd) for c in containers for cmd in commands]
        for ours, wanted in zip(direct, theirs):
            assert ours == wanted, (handler, ours, wanted)


@contextlib.contextmanager
def frozen(berth, container):
    lines = pathlib.Path(f"/proc/{berth.pid(container)}/cgroup").read_text(encoding="ascii").splitlines()
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in lines)}
    folder, file, words = (paths[""], "cgroup.freeze", "10") if cgroups.IS_V2 else (
        "/freezer" + paths["freezer"], "freezer.state", ("FROZEN", "THAWED"))
    state = pathlib.Path(f"{cgroups.ROOT}{folder}/{file}")
    state.write_text(words[0], encoding="ascii")
    try:
        yield
    finally:
        state.write_text(words[1], encoding="ascii")


def test_a_container_that_is_paused_says_so(berth):
    for handler in HANDLERS:
        container = berth.run(berth.run_pod(handler=handler, host_network=True), "sleep", "1000")
        starters.wait_for_shim(berth, container)
        with frozen(berth, container):
            code, words = failure(berth, container, "true")
            assert code == grpc.StatusCode.UNKNOWN and "paused" in words, (code, words)
        assert starters.is_direct(berth, container)
