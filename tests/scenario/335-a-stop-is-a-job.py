# SPDX-License-Identifier: Apache-2.0
"""A stop that was begun goes on without its client, and is joined by who asks again; a process that
cannot die holds up nobody else."""
import os
import signal
import threading
import time

import grpc

from berth import PATIENCE, SOON, wait_for
from stuck import Stuck

C = grpc.StatusCode
COUNTS = "n=0; trap 'n=$((n+1)); echo term $n' TERM; echo up; while :; do sleep 0.05; done"


def refused(call, code):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it was accepted")


def stop_and_leave(berth, container, timeout, after=0.5):
    refused(lambda: berth.runtime.StopContainer(container_id=container, timeout=timeout, rpc_timeout=after),
            C.DEADLINE_EXCEEDED)


def threads(berth):
    return len(os.listdir(f"/proc/{berth.daemon.pid}/task"))


def stuck_container(berth, disk):
    mount = {"host_path": str(disk.folder), "container_path": "/stuck"}
    container = berth.sh(berth.run_pod(name="stuck", host_network=True), "echo up; exec stat /stuck/x", mounts=[mount])
    assert disk.asked.wait(PATIENCE)
    return container


def test_a_kill_goes_on_without_its_client_and_is_joined(berth):
    """The shim stands still for a while: nobody waits, and yet the container ends."""
    container = berth.sh(berth.run_pod(host_network=True), COUNTS)
    wait_for(lambda: berth.output(container), what="up")
    pod = berth.runtime.ListContainers().containers[0].pod_sandbox_id
    shim = berth.shim_pid(pod)
    os.kill(shim, signal.SIGSTOP)
    before = threads(berth)
    for _ in range(10):
        stop_and_leave(berth, container, 0, after=0.1)
    wait_for(lambda: threads(berth) <= before + 4, what="the end of the threads of retries")
    joined = threading.Thread(target=berth.stop, args=(container,))
    joined.start()
    os.kill(shim, signal.SIGCONT)
    joined.join(PATIENCE)
    assert not joined.is_alive() and berth.status(container).exit_code == 137
    assert berth.output(container) == "up\n"


def test_a_later_stop_has_its_own_timeout_and_no_second_signal(berth):
    container = berth.sh(berth.run_pod(host_network=True), COUNTS)
    wait_for(lambda: berth.output(container), what="up")
    stop_and_leave(berth, container, 4)
    time.sleep(4.5)
    assert berth.state(container) == "CONTAINER_RUNNING", "a client that left made it die"
    start = time.monotonic()
    berth.stop(container, 2)
    assert 1.9 < time.monotonic() - start < SOON
    assert berth.output(container) == "up\nterm 1\n" and berth.status(container).exit_code == 137


def test_a_process_that_cannot_die_holds_up_only_its_own_stop(berth):
    disk = Stuck(berth.dir / "disk")
    try:
        container = stuck_container(berth, disk)
        free = berth.run(berth.run_pod(), "sleep", "1000")
        before = threads(berth)
        for _ in range(10):
            stop_and_leave(berth, container, 0, after=0.1)
            refused(lambda: berth.runtime.RemoveContainer(container_id=container, rpc_timeout=0.1), C.DEADLINE_EXCEEDED)
        wait_for(lambda: threads(berth) <= before + 4, what="the end of the threads of retries")
        start = time.monotonic()
        assert berth.state(container) == "CONTAINER_RUNNING" and len(berth.runtime.ListContainers().containers) == 2
        berth.runtime.ListContainerStats()
        assert berth.exec_sync(free, "echo", "hi")[1] == "hi\n"
        berth.stop(free)
        berth.remove_pod(berth.run_pod())
        assert time.monotonic() - start < SOON
        told = lambda: [line for line in berth.log_file.read_text().splitlines() if "after SIGKILL" in line]
        assert "(stat) is in state D" in wait_for(told, what="a word about it")[0], told()
    finally:
        disk.close()
    assert berth.wait_exited(container).exit_code == 137  # nobody asked again
    berth.stop(container)


def test_berthd_does_not_wait_for_it_when_it_is_stopped(berth):
    disk = Stuck(berth.dir / "disk")
    try:
        container = stuck_container(berth, disk)
        stop_and_leave(berth, container, 0)
        assert berth.stop_daemon() == 0
        berth.start_daemon()
        assert berth.state(container) == "CONTAINER_RUNNING"
    finally:
        disk.close()
    assert berth.wait_exited(container).exit_code == 137


def test_a_pod_with_such_a_process_goes_when_it_does(berth):
    disk = Stuck(berth.dir / "disk")
    try:
        container = stuck_container(berth, disk)
        pod = berth.runtime.ListPodSandbox().items[0].id
        before = threads(berth)
        for call in (berth.runtime.StopPodSandbox, berth.runtime.RemovePodSandbox) * 5:
            refused(lambda: call(pod_sandbox_id=pod, rpc_timeout=0.2), C.DEADLINE_EXCEEDED)
        wait_for(lambda: threads(berth) <= before + 5, what="the end of the threads of retries")
        assert berth.runtime.ListPodSandbox().items[0].id == pod
        refused(lambda: berth.run_pod(name="stuck", host_network=True), C.FAILED_PRECONDITION)
        berth.restart()
        assert berth.state(container) == "CONTAINER_RUNNING"
    finally:
        disk.close()
    berth.remove_pod(pod)
    berth.run_pod(name="stuck", host_network=True)
