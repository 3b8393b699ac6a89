# SPDX-License-Identifier: Apache-2.0
"""Damaged records: what runs is never forgotten. It goes on, is listed in a state that says so, and can be stopped
and removed, while everything else is as it was."""
import contextlib
import os
import signal
import sqlite3

import grpc

from berth import wait_for

GARBAGE = b"\xff\xff\xff"


def damage(berth, *changes):
    """Changes records while berthd is not there; (table, column, value, id)."""
    with contextlib.closing(sqlite3.connect(berth.dir / "root" / "berth.db")) as database, database:
        for table, column, value, name in changes:
            assert database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, name)).rowcount == 1


def refused(call, *args):
    try:
        call(*args)
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.UNKNOWN, e
        return e.details()
    raise AssertionError("it was accepted")


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


def check_lost(berth, pod, running, created, exited):
    item, = [p for p in berth.runtime.ListPodSandbox().items if p.id == pod]
    assert (item.state, item.metadata.name, item.metadata.namespace, item.metadata.uid) == (1, "a", "scenario", "uid-a")
    assert berth.state(running) == "CONTAINER_UNKNOWN" and berth.status(running).metadata.name == "one"
    assert [c.id for c in berth.runtime.ListContainers(filter={"state": {"state": 3}}).containers] == [running]
    status = berth.status(created)
    assert (berth.state(created), status.exit_code, status.reason) == ("CONTAINER_EXITED", 255, "Unknown"), status
    assert berth.status(exited).exit_code == 3
    for call in (berth.start, lambda c: berth.exec_sync(c, "true")):
        assert "CONTAINER_UNKNOWN" in refused(call, running)
    assert "not ready" in refused(berth.create, pod, "true")


def make(berth):
    pod = berth.run_pod("a")
    running, created = berth.run(pod, "sleep", "1000", name="one"), berth.create(pod, "true", name="two")
    exited = berth.sh(pod, "exit 3", name="three")
    berth.wait_exited(exited)
    pid, shim = berth.pid(running), berth.shim_pid(pod)
    other = berth.run(berth.run_pod("b"), "sleep", "1000")
    berth.kill_daemon()
    damage(berth, ("pods", "config", GARBAGE, pod), ("containers", "config", GARBAGE, running),
           ("containers", "extra", "{}", running), ("containers", "extra", "{", created),
           ("containers", "config", b"", exited))
    return pod, running, created, exited, pid, shim, other


def test_what_runs_is_stopped_and_removed_when_it_is_asked_for(berth):
    pod, running, created, exited, pid, _, other = make(berth)
    for _ in range(2):
        berth.start_daemon()
        check_lost(berth, pod, running, created, exited)
        assert alive(pid) and berth.state(other) == "CONTAINER_RUNNING"
        assert "cannot be read" in berth.log_file.read_text()
        berth.kill_daemon()
    berth.start_daemon()
    berth.stop(running, 5)
    assert berth.wait_exited(running).exit_code == 137 and not alive(pid)
    berth.remove_pod(pod)
    assert len(berth.runtime.ListPodSandbox().items) == len(berth.runtime.ListContainers().containers) == 1
    assert berth.exec_sync(other, "echo", "hi")[1] == "hi\n"
    berth.run_pod("a")


def test_the_pod_alone_is_removed_with_all_that_is_in_it(berth):
    pod, _, _, _, pid, _, _ = make(berth)
    berth.start_daemon()
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
    assert not alive(pid) and len(berth.runtime.ListContainers().containers) == 1


def test_its_shim_ends(berth):
    """With berthd there, and without."""
    pod, running, _, _, pid, shim, _ = make(berth)
    os.kill(shim, signal.SIGKILL)
    berth.start_daemon()
    assert berth.wait_exited(running).exit_code == 137
    wait_for(lambda: not alive(pid), what="the end of the process")
    berth.remove_pod(pod)


def test_its_shim_ends_later(berth):
    pod, running, _, _, pid, shim, _ = make(berth)
    berth.start_daemon()
    assert berth.state(running) == "CONTAINER_UNKNOWN"
    os.kill(shim, signal.SIGKILL)
    assert berth.wait_exited(running).exit_code == 137
    wait_for(lambda: not alive(pid), what="the end of the process")
    berth.remove_pod(pod)


def test_what_is_left_of_a_network(berth):
    """Its plugin was not there when the pod was removed; now nobody knows more than the pod's id."""
    folder, gone = berth.dir / "plugins", berth.dir / "gone"
    folder.mkdir()
    for name in ("bridge", "host-local", "portmap"):
        (folder / name).symlink_to(f"/usr/lib/cni/{name}")
    berth.config["cni"]["bin_dirs"] = [str(folder)]
    berth.restart()
    pod = berth.run_pod()
    addresses = lambda: [name for name in os.listdir(berth.dir / "addresses/scenario") if name.startswith("10.")]
    (folder / "bridge").rename(gone)
    berth.remove_pod(pod)
    assert len(addresses()) == 1
    berth.kill_daemon()
    with contextlib.closing(sqlite3.connect(berth.dir / "root" / "berth.db")) as database, database:
        assert database.execute("UPDATE left_networks SET config = ?", (b"",)).rowcount == 1
    gone.rename(folder / "bridge")
    berth.start_daemon()
    wait_for(lambda: not addresses(), what="the return of the address")
