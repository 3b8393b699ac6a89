# SPDX-License-Identifier: Apache-2.0
"""ExecSync: exit codes, outputs, timeouts, grandchildren, failures."""
import time

import grpc

from berth import SOON


def fails(code, call, *args, **more):
    try:
        call(*args, **more)
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it did not fail")


def test_exit_code_and_outputs(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    assert berth.exec_sync(container, "sh", "-c", "echo out; echo err >&2; exit 7") == (7, "out\n", "err\n")
    assert berth.exec_sync(container, "true") == (0, "", "")
    assert berth.exec_sync(container, "sh", "-c", "kill -9 $$")[0] == 137


def test_a_timeout_kills_the_command(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    start = time.monotonic()
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, berth.exec_sync, container, "sleep", "777", timeout=1)
    assert time.monotonic() - start < SOON
    assert "sleep 777" not in berth.exec_sync(container, "ps")[1]


def test_a_grandchild_that_holds_the_output_does_not_hold_the_answer(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    start = time.monotonic()
    assert berth.exec_sync(container, "sh", "-c", "sleep 777 & echo done") == (0, "done\n", "")
    assert time.monotonic() - start < SOON


def test_much_output_is_capped_and_complete_below_the_cap(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    code, out, _ = berth.exec_sync(container, "sh", "-c", "head -c 8000000 /dev/zero | tr '\\0' x")
    assert (code, len(out)) == (0, 8000000)


def test_failures_have_their_codes(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "100")
    words = fails(grpc.StatusCode.UNKNOWN, berth.exec_sync, container, "/no/such/program")
    assert "no/such/program" in words, words
    fails(grpc.StatusCode.NOT_FOUND, berth.exec_sync, "f" * 64, "true")
    berth.stop(container)
    words = fails(grpc.StatusCode.UNKNOWN, berth.exec_sync, container, "true")
    assert "CONTAINER_EXITED" in words, words
