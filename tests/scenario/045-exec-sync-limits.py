# SPDX-License-Identifier: Apache-2.0
"""ExecSync: what is too much, too long, or comes at a bad time."""
import os
import threading
import time

import grpc

from berth import PATIENCE, SOON, wait_for

C = grpc.StatusCode
MAX = 16 << 20


def refused(code, call):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it did not fail")


def processes_called(word):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += [pid] if word.encode() in file.read().split(b"\0") else []
        except OSError:
            pass
    return found


def memory(berth):
    with open(f"/proc/{berth.daemon.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmRSS"))


def test_what_is_over_the_cap_is_read_and_thrown_away(berth):
    """The command ends by itself, however much it writes, and the answer fits into a message."""
    container = berth.run(berth.run_pod(host_network=True), "sleep", "1000")
    lots = "head -c 60000000 /dev/zero"
    for script, out, err in ((lots, MAX - 1024, 0), (f"{lots}; echo e >&2", MAX - 1026, 2),
                             (f"{lots}; {lots} >&2", MAX // 2 - 512, MAX // 2 - 512)):
        answer = berth.runtime.ExecSync(container_id=container, cmd=["sh", "-c", f"{script}; exit 9"], timeout=50)
        assert (answer.exit_code, len(answer.stdout), len(answer.stderr)) == (9, out, err)
    assert memory(berth) < 5 * MAX


def test_much_of_one_stream_does_not_cost_the_other(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "1000")
    script = "head -c 8000000 /dev/zero >&2; echo out; exit 3"
    code, out, err = berth.exec_sync(container, "sh", "-c", script)
    assert (code, out, len(err)) == (3, "out\n", 8000000)


def test_the_timeout_is_kept_by_the_server_and_to_the_point(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "1000")
    start = time.monotonic()
    words = refused(C.DEADLINE_EXCEEDED, lambda: berth.exec_sync(container, "sleep", "3331", timeout=1))
    assert 0.95 < time.monotonic() - start < SOON and "timeout of 1 s exceeded" in words, words
    assert not processes_called("3331")
    start = time.monotonic()  # whoever holds the output does not hold up the answer
    refused(C.DEADLINE_EXCEEDED, lambda: berth.exec_sync(container, "sh", "-c", "sleep 3332 & sleep 3332", timeout=1))
    assert time.monotonic() - start < SOON


def test_a_timeout_below_zero_is_none(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "1000")
    assert berth.exec_sync(container, "sh", "-c", "sleep 0.3; echo hi", timeout=-1) == (0, "hi\n", "")
    assert berth.exec_sync(container, "echo", "hi", timeout=(1 << 63) - 1) == (0, "hi\n", "")


def test_a_client_that_leaves_ends_its_command(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "1000")
    refused(C.DEADLINE_EXCEEDED,
            lambda: berth.runtime.ExecSync(container_id=container, cmd=["sleep", "3333"], rpc_timeout=0.5))
    wait_for(lambda: not processes_called("3333"), what="the end of the command")
    assert berth.exec_sync(container, "echo", "hi")[1] == "hi\n"


def test_the_container_ends_meanwhile(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "1000")
    outcome = []

    def run():
        try:
            outcome.append(berth.exec_sync(container, "sleep", "3334")[0])
        except grpc.RpcError as e:
            outcome.append(e.code())

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: processes_called("3334"), what="the command")
    berth.stop(container)
    thread.join(PATIENCE)
    assert not thread.is_alive() and outcome[0] in (137, C.UNKNOWN, C.FAILED_PRECONDITION, C.UNAVAILABLE), outcome
    assert not processes_called("3334")
