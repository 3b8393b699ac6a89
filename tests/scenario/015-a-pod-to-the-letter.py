# SPDX-License-Identifier: Apache-2.0
"""What both statuses, both lists and the events say of a pod when it is stopped, stopped again, and gone."""
import os

import grpc

from berth import wait_for

C = grpc.StatusCode


def refused(call, code):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it was accepted")


def test_a_stopped_pod(berth):
    pod = berth.run_pod(name="p")
    running, created = berth.run(pod, "sleep", "1000"), berth.create(pod, "true")
    done = berth.run(pod, "true")
    finished_at = berth.wait_exited(done).finished_at
    ip = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip
    assert ip
    for _ in range(2):
        berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
        status = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status
        item, = berth.runtime.ListPodSandbox().items
        assert status.state == item.state == 1 and status.network.ip == "" and status.created_at == item.created_at > 0
        assert [berth.state(c) for c in (running, created, done)] == [
            "CONTAINER_EXITED", "CONTAINER_CREATED", "CONTAINER_EXITED"]
    assert berth.status(running).exit_code == 137 and berth.status(done).finished_at == finished_at
    refused(lambda: berth.create(pod, "true"), C.UNKNOWN)
    refused(lambda: berth.run_pod(name="p"), C.FAILED_PRECONDITION)  # its name is taken until it is removed
    berth.restart()
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
    refused(lambda: berth.status(running), C.NOT_FOUND)
    refused(lambda: berth.runtime.PodSandboxStatus(pod_sandbox_id=pod), C.NOT_FOUND)
    assert not berth.runtime.ListContainers().containers
    berth.run_pod(name="p")


def test_removal_without_a_stop(berth):
    pod = berth.run_pod()
    berth.run(pod, "sleep", "1000")
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
    assert not berth.runtime.ListPodSandbox().items and not berth.runtime.ListContainers().containers


def test_times_are_in_order_and_stay(berth):
    container = berth.create(berth.run_pod(host_network=True), "sh", "-c", "exit 3")
    status = berth.status(container)
    assert status.created_at > 0 == status.started_at == status.finished_at and status.reason == ""
    berth.start(container)
    status = berth.wait_exited(container)
    assert status.created_at <= status.started_at <= status.finished_at and (status.exit_code, status.reason) == (3, "Error")
    berth.restart()
    assert berth.status(container) == status


def test_a_pod_on_the_hosts_network_has_the_hosts_name(berth):
    container = berth.sh(berth.run_pod(host_network=True), "hostname; cat /etc/hostname; echo $HOSTNAME")
    berth.wait_exited(container)
    assert berth.output(container).split() == [os.uname().nodename] * 3


def test_execs_leave_no_zombies(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "1000")
    shim = berth.shim_pid(pod)
    for _ in range(10):
        berth.exec_sync(container, "sh", "-c", "true & true")

    def zombies():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                    state, parent = file.read().rsplit(")", 1)[1].split()[:2]
                found += [pid] if (state, int(parent)) == ("Z", shim) else []
            except OSError:
                pass
        return found

    wait_for(lambda: not zombies(), what="the end of the last one")
