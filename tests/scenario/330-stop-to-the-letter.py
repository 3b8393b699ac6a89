# SPDX-License-Identifier: Apache-2.0
"""The subtle half of StopContainer: the signal once in a lifetime, a client that leaves, a process
that cannot die, siblings in a shared PID namespace."""
import contextlib
import json
import os
import pathlib
import signal
import threading
import time

import grpc

from berth import SOON, wait_for

COUNTS = "n=0; trap 'n=$((n+1)); echo term $n' TERM; echo up; while :; do sleep 0.05; done"


def counting(berth, pod=None, **more):
    container = berth.sh(pod or berth.run_pod(host_network=True), COUNTS, **more)
    wait_for(lambda: berth.output(container), what="the first line")
    return container


def pid_of(berth, container):
    return json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])["pid"]


def refused(call, code):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it was accepted")


def test_a_client_that_leaves_does_not_kill_and_the_signal_comes_once(berth):
    container = counting(berth)
    leave = lambda: refused(lambda: berth.runtime.StopContainer(container_id=container, timeout=1000, rpc_timeout=0.5),
                            grpc.StatusCode.DEADLINE_EXCEEDED)
    wait_for(lambda: leave() and "term" in berth.output(container), what="the signal")
    leave()
    assert berth.state(container) == "CONTAINER_RUNNING"
    assert berth.output(container) == "up\nterm 1\n", berth.output(container)
    start = time.monotonic()
    berth.stop(container, timeout=1)
    assert 0.9 < time.monotonic() - start < SOON and berth.status(container).exit_code == 137
    assert berth.output(container) == "up\nterm 1\n"


def test_of_two_stops_the_shorter_one_ends_both(berth):
    container, took = counting(berth), []

    def stop(timeout):
        start = time.monotonic()
        berth.stop(container, timeout)
        took.append(time.monotonic() - start)

    longer = threading.Thread(target=stop, args=(1000,))
    longer.start()
    wait_for(lambda: "term" in berth.output(container), what="the signal")
    stop(1)
    longer.join()
    assert len(took) == 2 and max(took) < 2 * SOON, took
    assert berth.output(container) == "up\nterm 1\n"


def test_timeout_zero_sends_no_signal_that_asks(berth):
    container = counting(berth)
    berth.stop(container, 0)
    assert berth.output(container) == "up\n" and berth.status(container).exit_code == 137


def test_a_stopped_process_is_killed_all_the_same(berth):
    container = counting(berth)
    os.kill(pid_of(berth, container), signal.SIGSTOP)
    berth.stop(container, timeout=1)
    assert berth.status(container).exit_code == 137


def test_what_does_not_end_holds_up_only_its_own_stop(berth):
    """The shim of one pod hangs, as it does on a process in D state: others do not notice."""
    stuck, free = counting(berth), counting(berth)
    pod = berth.runtime.ListContainers(filter={"id": stuck}).containers[0].pod_sandbox_id
    shim = json.loads(berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"])["pid"]
    os.kill(shim, signal.SIGSTOP)
    try:
        refused(lambda: berth.runtime.StopContainer(container_id=stuck, timeout=0, rpc_timeout=1),
                grpc.StatusCode.DEADLINE_EXCEEDED)
        start = time.monotonic()
        assert berth.state(stuck) == "CONTAINER_RUNNING"
        assert len(berth.runtime.ListContainers().containers) == 2
        assert berth.exec_sync(free, "echo", "hi")[1] == "hi\n"
        berth.runtime.ListContainerStats()
        berth.stop(free, 0)
        assert time.monotonic() - start < SOON
    finally:
        os.kill(shim, signal.SIGCONT)
    berth.stop(stuck, 0)
    assert berth.status(stuck).exit_code == 137


def test_in_a_shared_namespace_the_whole_group_ends_before_the_exit_is_told(berth):
    own = {"security_context": {"namespace_options": {"pid": "POD"}}}
    pod = berth.run_pod(host_network=True, linux=own)
    container = berth.sh(pod, "(trap '' TERM; while :; do echo child; sleep 0.05; done) & sleep 0.3; exit 5", linux=own)
    status = berth.wait_exited(container)
    assert status.exit_code == 5, status
    size = os.path.getsize(status.log_path)
    time.sleep(0.3)
    assert os.path.getsize(status.log_path) == size, "somebody still writes"


def begin_at_the_highest_pids():
    """Then what the next process starts has lower pids than itself."""
    with contextlib.suppress(OSError):
        pid_max = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
        pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid_max - 20), encoding="ascii")


def test_in_a_shared_namespace_nobody_sees_another_one_die(berth):
    """Or a shell would go on with its next line."""
    own = {"security_context": {"namespace_options": {"pid": "POD"}}}
    pod = berth.run_pod(host_network=True, linux=own)
    around, more = "for i in $(seq 40); do (:); done", "(sleep 0.3; for i in $(seq 300); do sleep 1000 & done; echo up)"
    container = berth.create(pod, "sh", "-c", f"{around}; {more} & sleep 1000; echo went on", linux=own)
    begin_at_the_highest_pids()
    berth.start(container)
    wait_for(lambda: berth.output(container) == "up\n", what="all processes")
    berth.stop(container)
    assert berth.output(container) == "up\n" and not berth.output(container, "stderr"), berth.log(container)


def test_unknown_signals_and_empty_ids(berth):
    pod = berth.run_pod(host_network=True)
    refused(lambda: berth.create(pod, "true", stop_signal=200), grpc.StatusCode.INVALID_ARGUMENT)
    for call in (berth.stop, berth.remove, berth.remove_pod):
        refused(lambda: call(""), grpc.StatusCode.UNKNOWN)
    assert not berth.runtime.ListContainers().containers
