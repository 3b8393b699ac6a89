# SPDX-License-Identifier: Apache-2.0
"""A reboot takes processes, mounts and all of the state folder: pods and containers are EXITED and
NOTREADY at once, with a reason, and their addresses are given back when the pod is stopped."""
import os
import pathlib
import shutil
import sqlite3
import subprocess

import cgroups
import leaks
from berth import wait_for


def reboot(berth):
    """What a reboot does to this berth: kill all, unmount all, empty the state folder, another boot id."""
    def all_are_killed():
        for pid in leaks.processes(str(berth.dir)):
            leaks.kill(pid, str(berth.dir))
        return not leaks.processes(str(berth.dir))

    berth.kill_daemon()
    wait_for(all_are_killed, what="the end of all processes")
    for where in reversed(leaks.mounts(str(berth.dir / "run"))):
        subprocess.run(["umount", "-l", where], check=True)
    shutil.rmtree(berth.dir / "run")
    cgroups.remove(berth.cgroup_parent, berth.ids)
    with sqlite3.connect(berth.dir / "root" / "berth.db") as database:
        database.execute("UPDATE pods SET boot_id = 'an earlier one'")


def addresses(berth):
    return [name for name in os.listdir(berth.dir / "addresses" / "scenario") if name not in leaks.KEPT]


def test_everything_has_ended_and_can_be_removed(berth):
    pod, host = berth.run_pod(name="a"), berth.run_pod(name="b", host_network=True)
    running, created = berth.sh(pod, "echo hi; sleep 1000"), berth.create(pod, "true")
    ended = berth.sh(host, "exit 3")
    berth.wait_exited(ended)
    wait_for(lambda: berth.output(running), what="output")
    assert len(addresses(berth)) == 1
    reboot(berth)
    berth.start_daemon()
    assert [p.state for p in berth.runtime.ListPodSandbox().items] == [1, 1]
    status = berth.status(running)
    assert (berth.state(running), status.exit_code, status.reason) == ("CONTAINER_EXITED", 255, "Unknown"), status
    assert status.finished_at >= status.started_at > 0 and status.message
    assert berth.status(ended).exit_code == 3 and berth.state(created) == "CONTAINER_CREATED"
    assert pathlib.Path(status.log_path).read_text(encoding="utf-8").endswith("stdout F hi\n")
    try:
        berth.start(created)
    except Exception as e:
        assert "not ready" in str(e), e
    else:
        raise AssertionError("a container of a dead pod was started")
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert addresses(berth) == []
    berth.remove_pod(pod)
    berth.remove_pod(host)
    berth.run_pod(name="a")


def test_another_restart_changes_nothing_of_that(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    reboot(berth)
    berth.start_daemon()
    before = berth.status(container)
    berth.restart()
    assert berth.status(container) == before
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1
