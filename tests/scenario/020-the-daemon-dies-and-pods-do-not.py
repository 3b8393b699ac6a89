# SPDX-License-Identifier: Apache-2.0
"""kill -9 of berthd: containers run on, no log byte is lost, and an exit meanwhile is known after."""
import time

COUNT = 'i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); sleep 0.02; done; exit 5'


def test_a_running_container_goes_on(berth):
    pod = berth.run_pod()
    c = berth.run(pod, "sleep", "600")
    before = berth.status(c)
    berth.restart()
    after = berth.status(c)
    assert (after.state, after.started_at) == (before.state, before.started_at), after
    assert berth.exec_sync(c, "echo", "here") == (0, "here\n", "")


def test_what_happens_meanwhile_is_known(berth):
    pod = berth.run_pod()
    c = berth.sh(pod, COUNT)
    berth.kill_daemon()
    time.sleep(1.5)
    berth.start_daemon()
    status = berth.wait_exited(c, timeout=2)
    assert status.exit_code == 5, status
    assert berth.output(c).split() == [str(i) for i in range(40)], berth.log(c)
