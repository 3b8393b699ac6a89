# SPDX-License-Identifier: Apache-2.0
"""However many requests hang, in whatever way, the others are served as if they were alone."""
import os
import signal
import socket
import threading
import time

import grpc

from berth import PATIENCE, SOON, wait_for
from gate import GatedNetwork
from stuck import Stuck


def in_background(call, **fields):
    """Makes a call that will not come back for a while."""
    def run():
        try:
            call(**fields)
        except (grpc.RpcError, ValueError):
            pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def hang_on_a_shim(berth):
    pod = berth.run_pod(host_network=True)
    container, created = berth.run(pod, "sleep", "1000", log_path="x.log"), berth.create(pod, "true")
    shim = berth.shim_pid(pod)
    os.kill(shim, signal.SIGSTOP)
    r = berth.runtime
    for call in (r.StopContainer, r.RemoveContainer, r.ReopenContainerLog):
        in_background(call, container_id=container)
    in_background(r.ExecSync, container_id=container, cmd=["true"])
    in_background(r.UpdateContainerResources, container_id=container, linux={"cpu_shares": 200})
    in_background(r.StartContainer, container_id=created)
    return shim


def hang_on_a_disk(berth, disk):
    pod = berth.run_pod(name="disk", host_network=True)
    mounts = [{"host_path": str(disk.folder / "below"), "container_path": "/x"}]
    for name in ("one", "two"):
        in_background(berth.create, pod=pod, name=name, mounts=mounts)
    assert disk.asked.wait(PATIENCE)
    return pod


def hang_on_a_network(berth):
    network = GatedNetwork(berth)
    network.pod = in_background(berth.runtime.RunPodSandbox, config=berth.pod_config("network"))
    wait_for(network.log.exists, what="the plugin's ADD")
    return network


def hang_on_a_registry(berth):
    silent = socket.create_server(("127.0.0.1", 0))
    name = f"127.0.0.1:{silent.getsockname()[1]}/a/b:c"
    in_background(berth.images.PullImage, image={"image": name})
    return silent, silent.accept()


def test_they_are_served(berth):
    disk = Stuck(berth.dir / "disk")
    shim, network = 0, None
    try:
        network = hang_on_a_network(berth)
        registry = hang_on_a_registry(berth)
        hang_on_a_disk(berth, disk)
        shim = hang_on_a_shim(berth)
        time.sleep(0.5)
        start = time.monotonic()
        for _ in range(20):
            berth.runtime.Version()
            assert len(berth.runtime.ListPodSandbox().items) == 2
            for item in berth.runtime.ListContainers().containers:
                berth.status(item.id)
                berth.runtime.ContainerStatus(container_id=item.id, verbose=True)
            berth.images.ListImages()
            berth.runtime.ListContainerStats()
        assert time.monotonic() - start < SOON
        free = berth.run_pod(host_network=True)
        assert berth.exec_sync(berth.run(free, "sleep", "1000"), "echo", "hi")[1] == "hi\n"
        berth.remove_pod(free)
        assert time.monotonic() - start < SOON
    finally:
        disk.close()
        if shim:
            os.kill(shim, signal.SIGCONT)
        if network:
            network.open()
            network.pod.join()
    registry[1][0].close()
    registry[0].close()


def test_a_name_is_free_when_what_held_it_up_is_over(berth):
    """A disk does not answer while a container is made; the client asks again and again."""
    disk = Stuck(berth.dir / "disk")
    try:
        pod = hang_on_a_disk(berth, disk)
        mounts = [{"host_path": str(disk.folder / "below"), "container_path": "/x"}]
        config = {"metadata": {"name": "one"}, "image": {"image": "localhost/busybox:latest"}, "mounts": mounts}
        for _ in range(3):
            try:
                berth.runtime.CreateContainer(pod_sandbox_id=pod, config=config, rpc_timeout=0.3,
                                              sandbox_config={"metadata": berth.pod_config("disk")["metadata"]})
            except grpc.RpcError as e:
                assert e.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.FAILED_PRECONDITION), e
            else:
                raise AssertionError("it was created")
    finally:
        disk.close()

    def create():
        try:
            return berth.create(pod, "true", name="one")
        except grpc.RpcError as e:
            assert e.code() == grpc.StatusCode.FAILED_PRECONDITION or "below" in e.details(), e
            return ""

    assert berth.state(wait_for(create, what="the name")) == "CONTAINER_CREATED"
