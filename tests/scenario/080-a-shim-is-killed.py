# SPDX-License-Identifier: Apache-2.0
"""A killed shim ends its pod: containers EXITED 137, never RUNNING, nothing left."""
import json
import os
import signal

from berth import wait_for


def shim_of(berth, pod):
    info = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"]
    return json.loads(info)["pid"]


def check_ended(berth, pod, container):
    status = berth.wait_exited(container)
    assert (status.exit_code, status.reason) == (137, "Error"), status
    wait_for(lambda: berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1, what="NOTREADY")


def test_while_berthd_runs(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    os.kill(shim_of(berth, pod), signal.SIGKILL)
    check_ended(berth, pod, container)


def test_while_berthd_is_down(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    shim = shim_of(berth, pod)
    berth.kill_daemon()
    os.kill(shim, signal.SIGKILL)
    berth.start_daemon()
    assert berth.state(container) != "CONTAINER_RUNNING"
    check_ended(berth, pod, container)
