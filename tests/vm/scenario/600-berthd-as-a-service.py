# SPDX-License-Identifier: Apache-2.0
"""berthd as systemd runs it: ready when it says so, and the pods stay whatever becomes of the unit."""
import signal
import time

import service
from berth import wait_for

STARTED = False
COUNT = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.2; done"


def counting(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, COUNT)
    wait_for(lambda: berth.output(container), timeout=30, what="output")
    return pod, container


def check_goes_on(berth, container, started_at):
    """It is the same process, and its log has no hole."""
    status = berth.status(container)
    assert (berth.state(container), status.started_at) == ("CONTAINER_RUNNING", started_at), status
    lines = berth.output(container).splitlines()
    wait_for(lambda: len(berth.output(container).splitlines()) > len(lines) + 2, timeout=30, what="more output")
    lines = berth.output(container).splitlines()
    assert lines == [str(i) for i in range(len(lines))], lines
    assert berth.exec_sync(container, "echo", "hi") == (0, "hi\n", "")


def test_a_start_returns_when_it_answers(berth):
    with service.unit(berth):
        assert service.shown("ActiveState", "NotifyAccess", "KillMode", "Delegate") == ["active", "main", "process", "yes"]
        berth.remove_pod(counting(berth)[0])


def test_pods_outlive_a_restart_a_stop_and_a_kill(berth):
    with service.unit(berth):
        _, container = counting(berth)
        started_at = berth.status(container).started_at
        service.restart(berth)
        check_goes_on(berth, container, started_at)
        service.stop(berth)
        time.sleep(1)
        service.start(berth)
        check_goes_on(berth, container, started_at)
        before = service.kill(berth, signal.SIGKILL)
        assert service.main_pid() != before
        check_goes_on(berth, container, started_at)


def test_an_exit_while_the_unit_is_stopped_is_known_afterwards(berth):
    with service.unit(berth):
        container = berth.sh(berth.run_pod(), "sleep 3; exit 9")
        service.stop(berth)
        time.sleep(4)
        service.start(berth)
        status = berth.wait_exited(container, timeout=30)
        assert (status.exit_code, status.reason) == (9, "Error"), status


def test_limits_hold_when_systemd_reads_its_units_again(berth):
    with service.unit(berth):
        limits = {"memory_limit_in_bytes": 64 << 20, "cpu_period": 100000, "cpu_quota": 20000, "cpuset_cpus": "0"}
        container = berth.run(berth.run_pod(), "sleep", "1000", linux={"resources": limits})

        def seen():
            return [service.cgroups.read(berth.cgroup_parent, container, name)
                    for name in ("memory.max", "cpu.max", "cpuset.cpus")]

        assert seen() == [str(64 << 20), "20000", "0"], seen()
        service.systemctl("daemon-reload")
        assert seen() == [str(64 << 20), "20000", "0"], seen()
