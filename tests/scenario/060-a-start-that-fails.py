# SPDX-License-Identifier: Apache-2.0
"""A failed start ends the container with 128 and StartError, and changes nothing else."""
import pathlib

import grpc


def start_fails(berth, container):
    try:
        berth.start(container)
    except grpc.RpcError as e:
        return e.details()
    raise AssertionError("it started")


def test_no_such_program(berth):
    pod = berth.run_pod()
    container = berth.create(pod, "/no/such/program")
    words = start_fails(berth, container)
    status = berth.status(container)
    assert berth.state(container) == "CONTAINER_EXITED"
    assert (status.exit_code, status.reason, status.started_at) == (128, "StartError", 0), status
    assert "no/such/program" in status.message and "no/such/program" in words, (status.message, words)
    assert "CONTAINER_EXITED" in start_fails(berth, container)
    berth.remove(container)


def test_a_log_that_cannot_be_opened(berth):
    pod = berth.run_pod()
    container = berth.create(pod, "true", name="x")
    path = pathlib.Path(berth.status(container).log_path)
    path.mkdir(parents=True)  # a folder where the log should be
    assert str(path) in start_fails(berth, container)
    assert berth.status(container).exit_code == 128


def test_started_twice(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    assert "CONTAINER_RUNNING" in start_fails(berth, container)
    assert berth.state(container) == "CONTAINER_RUNNING"


def test_the_pod_has_stopped(berth):
    pod = berth.run_pod()
    container = berth.create(pod, "true")
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert "not ready" in start_fails(berth, container)
    assert berth.status(container).reason == "StartError"


def test_the_process_to_join_has_ended(berth):
    pod = berth.run_pod(host_network=True)
    target = berth.run(pod, "sleep", "1000")
    joins = {"security_context": {"namespace_options": {"pid": "TARGET", "target_id": target}}}
    first, second = (berth.create(pod, "ps", linux=joins) for _ in range(2))
    berth.start(first)
    berth.wait_exited(first)
    assert "sleep 1000" in berth.output(first)
    berth.stop(target)
    assert target in start_fails(berth, second)
    assert berth.status(second).reason == "StartError"
