# SPDX-License-Identifier: Apache-2.0
"""Pods that do nothing cost no wake-up of berthd or a shim, and no mount of the node for each container."""
import pathlib
import time

import leaks
from berth import wait_for

QUIET = 3  # seconds without a wake-up


def wakeups(pids):
    """How often their threads have gone to sleep so far."""
    count = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            lines = leaks.read(task / "status").splitlines()  # none, when it has ended meanwhile
            count += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return count


def sleeps(pids):
    before = wakeups(pids)
    time.sleep(QUIET)
    return wakeups(pids) == before


def test_nobody_wakes_up(berth):
    pods = [berth.run_pod(), berth.run_pod(host_network=True)]
    containers = [berth.run(pod, "sleep", "1000") for pod in pods] + [berth.run(pods[0], "sleep", "1000", tty=True)]
    berth.exec_sync(containers[0], "true")
    berth.wait_exited(berth.run(pods[1], "true"))
    pids = [berth.daemon.pid, *(berth.shim_pid(pod) for pod in pods)]
    wait_for(lambda: sleeps(pids), what=f"a rest of {QUIET} s")


def test_containers_are_no_mounts_of_the_node(berth):
    pod = berth.run_pod()
    before = leaks.mounts(str(berth.dir))
    volume = berth.dir / "volume"
    volume.mkdir()
    for _ in range(3):
        berth.run(pod, "sleep", "1000", mounts=[{"container_path": "/v", "host_path": str(volume)}])
    assert leaks.mounts(str(berth.dir)) == before
    berth.create(pod, "true")
    assert leaks.mounts(str(berth.dir)) == before
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert not [where for where in leaks.mounts(str(berth.dir)) if pod in where]
