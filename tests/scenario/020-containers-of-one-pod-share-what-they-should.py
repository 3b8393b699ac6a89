# SPDX-License-Identifier: Apache-2.0
"""One network, IPC and, when asked for, PID namespace for all containers of a pod."""
import os

from berth import wait_for


def inode(berth, container, name):
    pid = berth_pid(berth, container)
    return os.stat(f"/proc/{pid}/ns/{name}").st_ino


def berth_pid(berth, container):
    import json
    info = berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"]
    return json.loads(info)["pid"]


def test_containers_have_pids_of_their_own(berth):
    pod = berth.run_pod()
    one, two = berth.run(pod, "sleep", "100"), berth.run(pod, "sleep", "100")
    for name in ("net", "ipc", "uts"):
        assert inode(berth, one, name) == inode(berth, two, name), name
        assert inode(berth, one, name) != os.stat(f"/proc/self/ns/{name}").st_ino, name
    assert inode(berth, one, "pid") != inode(berth, two, "pid")
    assert berth.exec_sync(one, "cat", "/proc/1/comm")[1] == "sleep\n"


def shared(berth):
    own = {"namespace_options": {"pid": "POD"}}
    pod = berth.run_pod(linux={"security_context": own})
    make = lambda script: berth.sh(pod, script, linux={"security_context": own})
    return pod, make


def test_a_shared_pid_namespace_has_an_init_that_reaps(berth):
    pod, make = shared(berth)
    one = make("(sleep 0.1 &) ; sleep 100")
    two = make("sleep 100")
    assert inode(berth, one, "pid") == inode(berth, two, "pid")
    assert berth.exec_sync(one, "cat", "/proc/1/comm")[1] == "berth-init\n"
    # The orphan neither runs nor is a zombie.
    wait_for(lambda: "[sleep]" not in (out := berth.exec_sync(one, "ps")[1]) and "sleep 0.1" not in out,
             what="the end of the orphan")


def test_what_a_container_leaves_in_the_shared_namespace_ends_with_it(berth):
    pod, make = shared(berth)
    one = make("sleep 1000 & sleep 1000 & exec sleep 1000")
    two = make("sleep 100")
    berth.stop(one)
    assert berth.status(one).exit_code == 137
    _, out, _ = berth.exec_sync(two, "ps")
    assert "sleep 1000" not in out, out
