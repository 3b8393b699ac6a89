# SPDX-License-Identifier: Apache-2.0
"""Shims run the OCI runtime from one sealed copy in memory, which containers can do nothing to."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import grpc

def mighty(pid="CONTAINER"):
    return {"security_context": {"capabilities": {"add_capabilities": ["ALL"]}, "namespace_options": {"pid": pid}}}


# Whoever finds itself run from memory, or sees a process that is, tries to write to the program.
ATTACK = """
while [ ! -e /end ]; do
    for p in /proc/[0-9]*; do
        case $(readlink $p/exe) in /memfd:*)
            echo seen; echo evil 2>/dev/null 1<>$p/exe && echo written;; esac
    done
done"""


def copies(berth, pod):
    """The inodes of the copies that the pod's shim has open."""
    info = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"]
    for fd in pathlib.Path(f"/proc/{json.loads(info)['pid']}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(fd).startswith("/memfd:"):
                yield fd.stat().st_ino


@contextlib.contextmanager
def own_runtime(berth, *options):
    """The default runtime is a crun of our own on a file system mounted with these options."""
    folder = berth.dir / "runtime"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", *options, "runtime", folder], check=True)
    try:
        program = pathlib.Path(shutil.copy2(berth.config["runtimes"]["crun"]["path"], folder / "crun"))
        berth.config["runtimes"]["crun"].update(path=str(program), exec="runtime")
        berth.restart()
        yield program
        berth.remove_pods()
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_all_that_shims_run_is_the_copy(berth):
    with own_runtime(berth, "-o", "noexec"):
        pod = berth.run_pod(host_network=True)
        container = berth.run(pod, "sleep", "1000")
        assert berth.exec_sync(container, "echo", "hi") == (0, "hi\n", "")
        berth.restart()
        assert berth.exec_sync(container, "echo", "hi") == (0, "hi\n", "")
        berth.stop(container)
        assert berth.status(container).exit_code == 137
        assert len(list(copies(berth, pod))) == 1


def test_there_is_one_copy_on_the_node_until_the_program_changes(berth):
    with own_runtime(berth) as program:
        old = [berth.run_pod(host_network=True) for _ in range(2)]
        containers = [berth.run(pod, "sleep", "1000") for pod in old for _ in range(2)]
        assert len({inode for pod in old for inode in copies(berth, pod)}) == 1
        shutil.copy2(program, program.with_name("new"))
        program.with_name("new").rename(program)
        assert berth.exec_sync(containers[0], "echo", "hi") == (0, "hi\n", "")
        new = berth.run_pod(host_network=True)
        berth.run(new, "true")
        assert set(copies(berth, new)).isdisjoint(copies(berth, old[0]))
        berth.run(old[0], "true")
        assert set(copies(berth, new)) == set(copies(berth, old[0]))


def test_a_runtime_that_is_a_script_runs_as_ever(berth):
    with own_runtime(berth) as program:
        shutil.move(program, program.with_name("real"))
        program.write_text(f'#!/bin/sh\nexec {program.with_name("real")} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        pod = berth.run_pod(host_network=True)
        container = berth.run(pod, "sleep", "1000")
        assert berth.exec_sync(container, "echo", "hi") == (0, "hi\n", "")
        assert not list(copies(berth, pod))


def test_a_container_has_no_descriptor_of_it(berth):
    pod = berth.run_pod(host_network=True)
    script = "ls -l /proc/*/fd /proc/*/exe"
    container = berth.sh(pod, script + "; sleep 1000", linux=mighty())
    assert "memfd" not in berth.exec_sync(container, "sh", "-c", script)[1]
    assert "memfd" not in berth.output(container)


def test_a_container_that_sees_it_cannot_write_to_it(berth):
    with own_runtime(berth) as program:
        before = program.read_bytes()
        pod = berth.run_pod(host_network=True)
        attacker = berth.sh(pod, ATTACK, linux=mighty("NODE"))
        victim = berth.run(pod, "sleep", "1000", linux=mighty())
        # It runs the runtime again, from inside.
        berth.exec_sync(victim, "sh", "-c", "echo '#!/proc/self/exe' > /evil; chmod +x /evil")
        while "seen\n" not in berth.output(attacker):
            with contextlib.suppress(grpc.RpcError):
                berth.exec_sync(victim, "/evil")
        berth.exec_sync(attacker, "touch", "/end")
        berth.wait_exited(attacker)
        assert "written" not in berth.output(attacker)
        assert program.read_bytes() == before
        assert berth.exec_sync(victim, "echo", "hi") == (0, "hi\n", "")
