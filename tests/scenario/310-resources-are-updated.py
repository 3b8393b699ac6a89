# SPDX-License-Identifier: Apache-2.0
"""UpdateContainerResources before, during and after the life of the process; UpdatePodSandboxResources."""
import json

import grpc

import cgroups

V1 = {"cpu_quota": "cpu.cfs_quota_us", "memory": "memory.limit_in_bytes", "cpus": "cpuset.cpus"}
V2 = {"cpu_quota": "cpu.max", "memory": "memory.max", "cpus": "cpuset.cpus"}


def cgroup(berth, container, what):
    return cgroups.read(berth.cgroup_parent, container, (V2 if cgroups.IS_V2 else V1)[what])


def update(berth, container, **linux):
    berth.runtime.UpdateContainerResources(container_id=container, linux=linux)


def resources(berth, container):
    return berth.status(container).resources.linux


def test_while_it_runs(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "100",
                          linux={"resources": {"cpu_shares": 256, "memory_limit_in_bytes": 64 << 20}})
    assert cgroup(berth, container, "memory") == str(64 << 20)
    update(berth, container, cpu_period=100000, cpu_quota=25000, memory_limit_in_bytes=96 << 20, cpuset_cpus="0")
    assert cgroup(berth, container, "cpu_quota") == "25000"
    assert cgroup(berth, container, "memory") == str(96 << 20)
    assert cgroup(berth, container, "cpus") == "0"
    now = resources(berth, container)
    assert (now.cpu_quota, now.cpu_period, now.cpu_shares) == (25000, 100000, 256), now
    assert (now.memory_limit_in_bytes, now.cpuset_cpus) == (96 << 20, "0"), now
    assert now.memory_swap_limit_in_bytes in (0, 96 << 20), now  # 0: the node does not count swap
    berth.restart()
    assert resources(berth, container) == now
    update(berth, container, cpu_quota=50000)
    assert cgroup(berth, container, "cpu_quota") == "50000" and cgroup(berth, container, "memory") == str(96 << 20)


def test_before_it_starts_and_after_it_has_ended(berth):
    container = berth.create(berth.run_pod(host_network=True), "sleep", "100")
    update(berth, container, memory_limit_in_bytes=80 << 20)
    assert resources(berth, container).memory_limit_in_bytes == 80 << 20
    berth.restart()
    assert resources(berth, container).memory_limit_in_bytes == 80 << 20
    berth.start(container)
    assert cgroup(berth, container, "memory") == str(80 << 20)
    berth.stop(container)
    update(berth, container, memory_limit_in_bytes=90 << 20)
    assert resources(berth, container).memory_limit_in_bytes == 90 << 20


def test_what_cannot_be_changes_nothing(berth):
    container = berth.run(berth.run_pod(host_network=True), "sleep", "100",
                          linux={"resources": {"cpuset_cpus": "0"}})
    for code, call in ((grpc.StatusCode.UNKNOWN, lambda: update(berth, container, cpuset_cpus="999")),
                       (grpc.StatusCode.NOT_FOUND, lambda: update(berth, "f" * 64, cpu_shares=2))):
        try:
            call()
        except grpc.RpcError as e:
            assert e.code() == code, e
        else:
            raise AssertionError("it was accepted")
    assert resources(berth, container).cpuset_cpus == "0" and cgroup(berth, container, "cpus") == "0"
    info = json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])
    assert info["runtimeSpec"]["linux"]["resources"]["cpu"]["cpus"] == "0"


def test_the_status_has_what_is_in_force(berth):
    """Also of who asked for nothing, and what an update adds by the names of its files."""
    container = berth.create(berth.run_pod(host_network=True), "true")
    assert berth.status(container).resources.HasField("linux") and resources(berth, container).ByteSize() == 0
    unified = {"memory.high": "1048576"} if cgroups.IS_V2 else {}  # version 1 has no such names
    update(berth, container, cpu_shares=3, unified=unified)
    assert dict(resources(berth, container).unified) == unified and resources(berth, container).cpu_shares == 3
    update(berth, container, memory_limit_in_bytes=64 << 20)
    berth.restart()
    now = resources(berth, container)
    info = json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])
    memory = info["runtimeSpec"]["linux"]["resources"]["memory"]
    assert now.memory_swap_limit_in_bytes == memory.get("swap", 0) and now.memory_limit_in_bytes == memory["limit"]
    assert dict(now.unified) == unified and now.cpu_shares == 3


def pod_info(berth, pod):
    return json.loads(berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"])


def test_of_a_pod(berth):
    pod = berth.run_pod(host_network=True)
    assert "resources" not in pod_info(berth, pod)
    berth.runtime.UpdatePodSandboxResources(pod_sandbox_id=pod, resources={"cpu_shares": 77},
                                            overhead={"memory_limit_in_bytes": 5 << 20})
    for _ in range(2):
        info = pod_info(berth, pod)
        assert info["resources"]["cpuShares"] == 77 and info["overhead"]["memoryLimitInBytes"] == 5 << 20, info
        berth.restart()
    berth.runtime.UpdatePodSandboxResources(pod_sandbox_id=pod, resources={"cpu_shares": 78})
    info = pod_info(berth, pod)
    assert info["resources"]["cpuShares"] == 78 and "overhead" not in info, info
