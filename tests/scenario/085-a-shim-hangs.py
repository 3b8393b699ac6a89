# SPDX-License-Identifier: Apache-2.0
"""A shim that is there and does not answer holds up its own pod, which can be stopped all the same."""
import os
import signal
import time

from berth import SOON, wait_for


def test_its_pod_can_be_stopped_and_removed(berth):
    pod = berth.run_pod()
    container, created = berth.run(pod, "sleep", "1000"), berth.create(pod, "true")
    os.kill(berth.shim_pid(pod), signal.SIGSTOP)
    start = time.monotonic()
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert time.monotonic() - start < 2 * SOON
    assert berth.status(container).exit_code == 137 and berth.state(created) == "CONTAINER_CREATED"
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1
    assert "does not answer" in berth.log_file.read_text()
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)


def test_a_new_berthd_does_not_wait_for_it(berth):
    pods = [berth.run_pod(host_network=True) for _ in range(3)]
    containers = [berth.create(pod, "sleep", "1000") for pod in pods]
    shim = berth.shim_pid(pods[1])
    os.kill(shim, signal.SIGSTOP)
    berth.restart()
    start = time.monotonic()
    for i in (0, 2):
        wait_for(lambda: "starting" not in try_start(berth, containers[i]), what="the start")
    assert time.monotonic() - start < SOON
    assert [c.state for c in berth.runtime.ListContainers(filter={"id": containers[1]}).containers] == [0]
    os.kill(shim, signal.SIGCONT)
    wait_for(lambda: "starting" not in try_start(berth, containers[1]), what="the start")
    assert all(berth.state(container) == "CONTAINER_RUNNING" for container in containers)


def try_start(berth, container):
    try:
        berth.start(container)
    except Exception as e:
        return str(e)
    return ""
