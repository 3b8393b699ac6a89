# SPDX-License-Identifier: Apache-2.0
"""A container that the OOM killer ended says so, at the first sight of its end."""


def test_oom_killed(berth):
    pod = berth.run_pod()
    limit = {"resources": {"memory_limit_in_bytes": 20 << 20, "memory_swap_limit_in_bytes": 20 << 20}}
    container = berth.sh(pod, "exec tail /dev/zero", linux=limit)
    ended = berth.wait_exited(container)
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled"), ended


def test_killed_otherwise(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    berth.stop(container)
    ended = berth.status(container)
    assert (ended.exit_code, ended.reason) == (137, "Error"), ended
