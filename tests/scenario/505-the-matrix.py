# SPDX-License-Identifier: Apache-2.0
"""The concurrent calls of the behaviour specification (§3), row by row: the first call is held where it
is under way, so that what the second one meets is no matter of luck."""
import contextlib
import json
import os
import signal
import sqlite3
import threading
import time

import grpc

from berth import PATIENCE, SOON, wait_for
from stuck import Stuck

C = grpc.StatusCode


class Call(threading.Thread):
    """A call under way; outcome() waits for its code."""

    def __init__(self, call, *args, **fields):
        super().__init__(daemon=True)
        self.call, self.code, self.words = lambda: call(*args, **fields), None, ""
        self.start()

    def run(self):
        try:
            self.call()
            self.code = C.OK
        except grpc.RpcError as e:
            self.code, self.words = e.code(), e.details()

    def outcome(self):
        self.join(PATIENCE)
        return self.code


def refused(code, words, call, *args, **fields):
    """At once, whatever the other call waits for."""
    start = time.monotonic()
    try:
        call(*args, **fields)
    except grpc.RpcError as e:
        assert e.code() == code and words in e.details(), e
    else:
        raise AssertionError("it was accepted")
    assert time.monotonic() - start < SOON


class Gate:
    """The default runtime, which waits in one of its verbs until the gate is opened; then it may do its work and say
    that it failed."""

    def __init__(self, berth, verb, fail=False):
        self.reached, self.opened = berth.dir / f"{verb}-reached", berth.dir / f"{verb}-opened"
        runtime = berth.config["runtimes"][berth.config["default_runtime"]]
        path, real = berth.dir / f"slow-{verb}", runtime["path"]
        path.write_text(f"""#!/bin/sh
case "$*" in *" {verb} "*)
    touch {self.reached}
    until [ -e {self.opened} ]; do sleep 0.02; done
    {f'{real} "$@"; exit 1' if fail else ''} ;;
esac
exec {real} "$@"
""", encoding="utf-8")
        path.chmod(0o755)
        runtime["path"] = str(path)
        berth.restart()

    def wait(self):
        wait_for(self.reached.exists, what="the runtime's turn")

    def open(self):
        self.opened.touch()


def start_verb(berth):
    """Of a start: with systemd the runtime creates and starts in two runs."""
    return "create" if berth.config["cgroup_driver"] == "systemd" else "run"


def starting(berth, **more):
    gate = Gate(berth, start_verb(berth), **more)
    pod = berth.run_pod(host_network=True)
    container = berth.create(pod, "sleep", "1000")
    first = Call(berth.start, container)
    gate.wait()
    return gate, pod, container, first


def test_beside_a_start(berth):
    gate, _, container, first = starting(berth)
    refused(C.UNKNOWN, "already in starting state", berth.start, container)
    refused(C.UNKNOWN, "in starting state", berth.remove, container)
    for call in ("ExecSync", "Exec", "Attach", "ReopenContainerLog"):
        more = {} if call in ("Attach", "ReopenContainerLog") else {"cmd": ["true"]}
        refused(C.UNKNOWN, "CONTAINER_CREATED", getattr(berth.runtime, call), container_id=container, **more)
    berth.stop(container, 0)  # does nothing: it does not run yet
    assert berth.state(container) == "CONTAINER_CREATED"
    gate.open()
    assert first.outcome() == C.OK and berth.state(container) == "CONTAINER_RUNNING"


def test_beside_a_start_that_fails(berth):
    """Nobody may remove it before what was begun is gone, and then everybody may."""
    end = Gate(berth, "delete")
    gate, _, container, first = starting(berth, fail=True)
    gate.open()
    end.wait()
    refused(C.UNKNOWN, "in starting state", berth.remove, container)
    assert berth.state(container) == "CONTAINER_CREATED"
    end.open()
    assert first.outcome() == C.UNKNOWN, first.words
    status = berth.status(container)
    assert (berth.state(container), status.exit_code, status.reason) == ("CONTAINER_EXITED", 128, "StartError"), status
    berth.remove(container)


def test_beside_a_start_that_cannot_be_recorded(berth):
    """Somebody else has the database: what runs by then is taken back, and nobody removes it before that."""
    end = Gate(berth, "delete")
    container = berth.create(berth.run_pod(host_network=True), "sleep", "1000")
    with contextlib.closing(sqlite3.connect(berth.dir / "root" / "berth.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        first = Call(berth.start, container)
        end.wait()
        database.execute("ROLLBACK")
    refused(C.UNKNOWN, "in starting state", berth.remove, container)
    end.open()
    assert first.outcome() != C.OK and "record" in first.words, first.words
    assert berth.state(container) == "CONTAINER_EXITED" and berth.status(container).reason == "StartError"
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and runs_in(pid, container)]


def test_the_pod_is_stopped_beside_a_start(berth):
    gate, pod, container, first = starting(berth)
    stop = Call(berth.runtime.StopPodSandbox, pod_sandbox_id=pod)
    time.sleep(0.3)
    gate.open()
    assert stop.outcome() == C.OK, stop.words
    assert first.outcome() is not None
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert berth.state(container) == "CONTAINER_EXITED" and berth.status(container).exit_code in (128, 137)
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and runs_in(pid, container)]


def runs_in(pid, container):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        return container in file.read()
    return False


def test_beside_a_removal(berth):
    """The shim stands still, and so does the removal that asks it."""
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "true")
    berth.wait_exited(container)
    shim = berth.shim_pid(pod)
    os.kill(shim, signal.SIGSTOP)
    first = Call(berth.remove, container)
    removing = lambda: berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"]
    wait_for(lambda: '"removing":true' in removing(), what="the removal")
    refused(C.UNKNOWN, "already in removing state", berth.remove, container)
    refused(C.UNKNOWN, "CONTAINER_EXITED", berth.start, container)
    refused(C.UNKNOWN, "in removing state", berth.runtime.UpdateContainerResources, container_id=container,
            linux={"cpu_shares": 100})
    berth.stop(container, 5)
    os.kill(shim, signal.SIGCONT)
    assert first.outcome() == C.OK, first.words
    berth.remove(container)


def test_a_removal_beside_a_stop_does_not_wait_for_its_timeout(berth):
    container = berth.sh(berth.run_pod(host_network=True), "trap 'echo term' TERM; echo up; while :; do sleep 0.05; done")
    wait_for(lambda: berth.output(container), what="up")
    stop = Call(berth.stop, container, int(2 * PATIENCE))
    wait_for(lambda: "term" in berth.output(container), what="the signal")
    start = time.monotonic()
    berth.remove(container)
    assert stop.outcome() == C.OK and time.monotonic() - start < PATIENCE


def slow_network(berth):
    """Networks wait in ADD, in DEL or in both, while there are files of these names."""
    folder = berth.dir / "plugins"
    folder.mkdir()
    (folder / "slow").write_text(f"""#!/bin/sh
conf=$(cat)
echo "$CNI_COMMAND" >> {berth.dir}/plugin.log
while [ -e {berth.dir}/hold-$CNI_COMMAND ]; do sleep 0.02; done
[ "$CNI_COMMAND" = ADD ] && echo "$conf" | /usr/bin/python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)["prevResult"]))'
exit 0
""", encoding="utf-8")
    (folder / "slow").chmod(0o755)
    berth.config["cni"]["bin_dirs"].append(str(folder))
    berth.write_network({"type": "slow"})
    berth.restart()


def told(berth, word):
    log = berth.dir / "plugin.log"
    return log.exists() and word in log.read_text(encoding="utf-8").split()


def test_beside_a_pod_that_comes_up(berth):
    """Its name is taken, and nobody sees it before it is ready."""
    slow_network(berth)
    (berth.dir / "hold-ADD").touch()
    first = Call(berth.run_pod, "twin")
    wait_for(lambda: told(berth, "ADD"), what="ADD")
    refused(C.FAILED_PRECONDITION, "being worked on", berth.run_pod, "twin")
    assert not berth.runtime.ListPodSandbox().items
    pod, = os.listdir(berth.dir / "run/pods")
    refused(C.NOT_FOUND, pod, berth.runtime.PodSandboxStatus, pod_sandbox_id=pod)
    sandbox = {"metadata": {"name": "twin", "uid": "u", "namespace": "n"}}
    refused(C.NOT_FOUND, pod, berth.runtime.CreateContainer, pod_sandbox_id=pod, sandbox_config=sandbox,
            config={"metadata": {"name": "c"}, "image": {"image": "localhost/busybox:latest"}})
    (berth.dir / "hold-ADD").unlink()
    assert first.outcome() == C.OK and berth.runtime.ListPodSandbox().items[0].id == pod


def test_beside_a_pod_that_goes_down(berth):
    """Its network goes when its containers have ended; they and the pod can be looked at meanwhile."""
    slow_network(berth)
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    (berth.dir / "hold-DEL").touch()
    stops = [Call(berth.runtime.StopPodSandbox, pod_sandbox_id=pod)]
    wait_for(lambda: told(berth, "DEL"), what="DEL")
    stops += [Call(berth.runtime.StopPodSandbox, pod_sandbox_id=pod),
              Call(berth.runtime.RemovePodSandbox, pod_sandbox_id=pod)]
    assert berth.state(container) == "CONTAINER_EXITED" and berth.status(container).exit_code == 137
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1
    refused(C.UNKNOWN, "not ready", berth.create, pod, "true")
    (berth.dir / "hold-DEL").unlink()
    assert [call.outcome() for call in stops] == [C.OK] * 3, [call.words for call in stops]
    assert not berth.runtime.ListPodSandbox().items and not berth.runtime.ListContainers().containers


def test_beside_a_container_that_is_made(berth):
    """Its name is taken, and it is in no list; the pod's stop does not wait, and its removal leaves nothing."""
    disk = Stuck(berth.dir / "disk")
    try:
        pod = berth.run_pod(host_network=True)
        mounts = [{"host_path": str(disk.folder / "below"), "container_path": "/x"}]
        first = Call(berth.create, pod, "true", name="twin", mounts=mounts)
        assert disk.asked.wait(10)
        refused(C.FAILED_PRECONDITION, "being worked on", berth.create, pod, "true", name="twin")
        assert not berth.runtime.ListContainers().containers
        start = time.monotonic()
        berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
        assert time.monotonic() - start < SOON
    finally:
        disk.close()
    assert first.outcome() in (C.UNKNOWN, C.OK), first.words
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
    assert not berth.runtime.ListContainers().containers


def test_updates_come_one_after_the_other(berth):
    """While one is held up, who only looks is not; the last word is that of the last."""
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "1000")
    shim = berth.shim_pid(pod)
    os.kill(shim, signal.SIGSTOP)
    update = lambda shares: Call(berth.runtime.UpdateContainerResources, container_id=container,
                                 linux={"cpu_shares": shares})
    first = update(300)
    info = lambda: json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])
    wait_for(lambda: info()["runtimeSpec"]["linux"]["resources"].get("cpu", {}).get("shares") == 300, what="the first")
    second = update(400)
    start = time.monotonic()
    berth.status(container)
    assert len(berth.runtime.ListContainers().containers) == 1 and time.monotonic() - start < SOON
    os.kill(shim, signal.SIGCONT)
    assert (first.outcome(), second.outcome()) == (C.OK, C.OK), (first.words, second.words)
    assert berth.status(container).resources.linux.cpu_shares == 400
