# SPDX-License-Identifier: Apache-2.0
"""kill -9 of berthd and a new start change nothing for pods, and lose nothing."""
import os
import signal
import threading

from berth import wait_for
from gate import Gate


def test_a_running_pod_goes_on_and_its_log_is_whole(berth):
    pod = berth.run_pod()
    ip = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip
    gate = Gate(berth)
    container = berth.sh(pod, "i=0; until [ -e /gate/open ]; do echo $i; i=$((i+1)); sleep 0.01; done", mounts=[gate.mount])
    created = berth.create(pod, "true")
    for _ in range(3):
        before = len(berth.log(container))
        wait_for(lambda: len(berth.log(container)) > before + 20, what="more lines")
        berth.restart()
        assert berth.state(container) == "CONTAINER_RUNNING"
        assert berth.state(created) == "CONTAINER_CREATED"
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip == ip
    assert berth.exec_sync(container, "echo", "hi") == (0, "hi\n", "")
    gate.open()
    berth.wait_exited(container)
    assert berth.output(container) == "".join(f"{i}\n" for i in range(len(berth.log(container))))
    berth.start(created)
    assert berth.wait_exited(created).exit_code == 0


def test_what_was_created_can_be_started_and_removed_at_once(berth):
    """Also while berthd still finds out from the shim, which takes its time, whether it was being started."""
    pod = berth.run_pod(host_network=True)
    shim = os.pidfd_open(berth.shim_pid(pod))
    for use in (berth.start, berth.remove):
        container = berth.create(pod, "true")
        berth.kill_daemon()
        signal.pidfd_send_signal(shim, signal.SIGSTOP)
        berth.start_daemon()
        go_on = threading.Timer(1, signal.pidfd_send_signal, (shim, signal.SIGCONT))
        go_on.start()
        use(container)
        go_on.join()
    os.close(shim)


def test_an_exit_while_berthd_is_down_is_known_afterwards(berth):
    gate = Gate(berth)
    container = berth.sh(berth.run_pod(), f"{gate.wait}; exit 9", mounts=[gate.mount])
    berth.kill_daemon()
    gate.open()
    wait_for((berth.dir / "run/exits" / container).exists, what="the exit record")
    berth.start_daemon()
    status = berth.status(container)
    assert (berth.state(container), status.exit_code, status.reason) == ("CONTAINER_EXITED", 9, "Error")


def test_a_stopped_pod_stays_stopped_and_names_stay_taken(berth):
    pod = berth.run_pod(name="same")
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    berth.restart()
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1
    try:
        berth.run_pod(name="same")
    except Exception as e:
        assert "FAILED_PRECONDITION" in str(e) and "reserved" in str(e), e
    else:
        raise AssertionError("the name was free")
    berth.remove_pod(pod)
    berth.run_pod(name="same")
