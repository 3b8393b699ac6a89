# SPDX-License-Identifier: Apache-2.0
"""What pods and containers use: values that can be, in every state, alone and in lists."""
import os
import time

import grpc

import cgroups
from berth import wait_for

BUSY = "dd if=/dev/zero of=/written bs=1M count=3 2>/dev/null; while :; do :; done"


def refused(call, code):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return
    raise AssertionError("it was answered")


def test_a_running_container(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, BUSY, labels={"app": "busy"})
    get = lambda: berth.runtime.ContainerStats(container_id=container[:12]).stats
    cpu = lambda stats: stats.cpu.usage_core_nano_seconds.value
    wait_for(lambda: berth.exec_sync(container, "stat", "-c", "%s", "/written")[1] == f"{3 << 20}\n", what="the file")
    begun = time.monotonic_ns()
    first = get()
    # What is told of a disk may be some seconds old, and a rate is that of some time.
    second = wait_for(lambda: cpu(s := get()) > cpu(first) + 1e9 and s.writable_layer.used_bytes.value >= 3 << 20 and s)
    elapsed = time.monotonic_ns() - begun
    assert second.attributes.id == container and second.attributes.labels["app"] == "busy"
    assert cpu(second) - cpu(first) < 1.1 * elapsed, (first, second, elapsed)
    assert 0 < second.cpu.usage_nano_cores.value < 1.5e9, second.cpu
    assert second.cpu.timestamp > first.cpu.timestamp
    memory = second.memory
    assert 0 < memory.rss_bytes.value <= memory.usage_bytes.value < 1 << 30, memory
    assert 0 < memory.working_set_bytes.value <= memory.usage_bytes.value, memory
    assert memory.page_faults.value > 0 and memory.available_bytes.value == 0, memory
    assert second.writable_layer.inodes_used.value > 0
    assert second.writable_layer.fs_id.mountpoint


def test_what_is_available_follows_from_the_limit(berth):
    limit = 64 << 20
    container = berth.sh(berth.run_pod(host_network=True), "sleep 100",
                         linux={"resources": {"memory_limit_in_bytes": limit}})
    memory = berth.runtime.ContainerStats(container_id=container).stats.memory
    assert memory.available_bytes.value == limit - memory.working_set_bytes.value, memory


def test_pressure_and_swap_where_the_kernel_tells(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.sh(pod, "while :; do :; done & while :; do :; done",
                         linux={"resources": {"cpuset_cpus": "0", "memory_limit_in_bytes": 64 << 20}})
    get = lambda: berth.runtime.ContainerStats(container_id=container).stats
    stats = get()
    if not cgroups.IS_V2 or not os.path.exists("/proc/pressure/cpu"):
        assert not stats.cpu.HasField("psi") and not stats.HasField("io"), stats
        return
    wait_for(lambda: get().cpu.psi.Some.Total > 0, timeout=30, what="a process that waited for the CPU")
    assert stats.memory.HasField("psi") and stats.io.HasField("psi") and stats.io.timestamp > 0, stats
    assert stats.swap.timestamp > 0 and stats.swap.swap_usage_bytes.value == 0, stats
    assert stats.swap.HasField("swap_available_bytes") and stats.swap.swap_available_bytes.value == 0, stats
    linux = berth.runtime.PodSandboxStats(pod_sandbox_id=pod).stats.linux
    assert linux.cpu.psi.Some.Total > 0 and linux.memory.HasField("psi") and linux.io.HasField("psi"), linux


def test_a_container_that_does_not_run_has_no_stats_of_its_own_and_a_place_in_the_list(berth):
    pod = berth.run_pod(host_network=True)
    ended, created = berth.run(pod, "true"), berth.create(pod, "true")
    berth.wait_exited(ended)
    for container in (ended, created):
        refused(lambda: berth.runtime.ContainerStats(container_id=container), grpc.StatusCode.UNKNOWN)
    refused(lambda: berth.runtime.ContainerStats(container_id="f" * 64), grpc.StatusCode.NOT_FOUND)
    listed = {s.attributes.id: s for s in berth.runtime.ListContainerStats().stats}
    for container in (ended, created):
        assert not listed[container].HasField("cpu") and not listed[container].HasField("memory")
        assert listed[container].HasField("writable_layer")


def test_lists_and_streams_have_filters(berth):
    one, two = berth.run_pod(host_network=True, labels={"p": "1"}), berth.run_pod(host_network=True)
    a = berth.run(one, "sleep", "100", labels={"k": "a"})
    b = berth.run(one, "sleep", "100", labels={"k": "b"})
    c = berth.run(two, "sleep", "100", labels={"k": "a"})
    for filter_, wanted in (({}, {a, b, c}), ({"id": a[:16]}, {a}), ({"pod_sandbox_id": one[:16]}, {a, b}),
                            ({"label_selector": {"k": "a"}}, {a, c}), ({"id": "none"}, set()),
                            ({"pod_sandbox_id": two, "label_selector": {"k": "b"}}, set())):
        listed = berth.runtime.ListContainerStats(filter=filter_).stats
        assert {s.attributes.id for s in listed} == wanted, filter_
        batches = list(berth.runtime.StreamContainerStats(filter=filter_))
        assert {s.attributes.id for batch in batches for s in batch.container_stats} == wanted, filter_
        assert all(batch.container_stats for batch in batches), "an empty batch"
    for filter_, wanted in (({}, {one, two}), ({"id": two[:16]}, {two}), ({"label_selector": {"p": "1"}}, {one})):
        assert {s.attributes.id for s in berth.runtime.ListPodSandboxStats(filter=filter_).stats} == wanted
        batches = list(berth.runtime.StreamPodSandboxStats(filter=filter_))
        assert {s.attributes.id for batch in batches for s in batch.pod_sandbox_stats} == wanted


def test_a_pod(berth):
    pod = berth.run_pod(labels={"a": "b"})
    container = berth.sh(pod, "sleep 100 & sleep 100")
    berth.wait = berth.exec_sync(container, "ping", "-c", "1", "-W", "60", "10.89.0.1")
    stats = berth.runtime.PodSandboxStats(pod_sandbox_id=pod).stats
    assert stats.attributes.id == pod and stats.attributes.labels["a"] == "b"
    linux = stats.linux
    assert linux.cpu.usage_core_nano_seconds.value > 0 and linux.memory.working_set_bytes.value > 0, linux
    eth0 = linux.network.default_interface
    assert eth0.name == "eth0" and eth0.rx_bytes.value > 0 and eth0.tx_bytes.value > 0, linux.network
    assert "lo" not in [i.name for i in linux.network.interfaces]
    assert linux.process.process_count.value >= 2, linux.process
    assert [s.attributes.id for s in linux.containers] == [container]
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    refused(lambda: berth.runtime.PodSandboxStats(pod_sandbox_id=pod), grpc.StatusCode.UNAVAILABLE)
    refused(lambda: berth.runtime.PodSandboxStats(pod_sandbox_id="f" * 64), grpc.StatusCode.NOT_FOUND)
    assert not berth.runtime.ListPodSandboxStats().stats
    assert not list(berth.runtime.StreamPodSandboxStats())
