# SPDX-License-Identifier: Apache-2.0
"""Containers that run out of memory as soon as they start, with systemd at their cgroups' heels."""
ROUNDS, AT_ONCE = 3, 4
LIMITS = {"resources": {"memory_limit_in_bytes": 8 << 20, "memory_swap_limit_in_bytes": 8 << 20}}


def test_each_is_told_to_be_oom_killed(berth):
    pod = berth.run_pod(host_network=True)
    for _ in range(ROUNDS):
        started = [berth.run(pod, "tail", "/dev/zero", linux=LIMITS) for _ in range(AT_ONCE)]
        for container in started:
            ended = berth.wait_exited(container, timeout=60)
            assert (ended.exit_code, ended.reason) == (137, "OOMKilled"), ended
