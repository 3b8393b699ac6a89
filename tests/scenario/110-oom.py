# SPDX-License-Identifier: Apache-2.0
"""A container that the OOM killer was at work in says so, at the first sight of its end, and no other does."""
import cgroups

MIB = 1 << 20
EAT = "tail /dev/zero"


def limit(**more):
    return {"resources": {"memory_limit_in_bytes": 20 * MIB, "memory_swap_limit_in_bytes": 20 * MIB, **more}}


def end_of(berth, container):
    ended = berth.wait_exited(container)
    return ended.exit_code, ended.reason


def test_oom_killed(berth):
    container = berth.sh(berth.run_pod(), f"exec {EAT}", linux=limit())
    assert end_of(berth, container) == (137, "OOMKilled")


def test_killed_otherwise(berth):
    container = berth.run(berth.run_pod(), "sleep", "100")
    berth.stop(container)
    ended = berth.status(container)
    assert (ended.exit_code, ended.reason) == (137, "Error"), ended


def test_a_child_is_killed_and_the_first_process_goes_on(berth):
    container = berth.sh(berth.run_pod(), f"{EAT}; echo $?; exit 3", linux=limit())
    assert end_of(berth, container) == (3, "OOMKilled")
    assert berth.output(container) == "137\n"


def test_the_others_of_the_pod_were_not_meant(berth):
    """Killed by a signal all the same, and at once, while the pod has lost processes to the OOM killer."""
    pod = berth.run_pod()
    other = berth.sh(pod, "until [ -e /dev/shm/now ]; do sleep 0.05; done; kill -9 $$ & sleep 100",
                     linux={"security_context": {"namespace_options": {"pid": "NODE"}}})
    for _ in range(2):
        assert end_of(berth, berth.sh(pod, f"exec {EAT}", linux=limit())) == (137, "OOMKilled")
    berth.wait_exited(berth.sh(pod, "touch /dev/shm/now"))
    assert end_of(berth, other) == (137, "Error")


def test_the_limit_of_the_pod(berth):
    cgroups.limit_memory(berth.cgroup_parent, 40 * MIB)
    pod = berth.run_pod(host_network=True)
    small, large = berth.run(pod, "sleep", "100"), berth.sh(pod, f"exec {EAT}")
    assert end_of(berth, large) == (137, "OOMKilled")
    assert berth.state(small) == "CONTAINER_RUNNING"
    berth.stop(small)
    assert berth.status(small).reason == "Error"


def test_all_of_a_group_are_killed(berth):
    if not cgroups.IS_V2:
        return "cgroups of version 1 have no groups to kill"
    container = berth.sh(berth.run_pod(), f"{EAT}; exit 3", linux=limit(unified={"memory.oom.group": "1"}))
    assert end_of(berth, container) == (137, "OOMKilled")
