# SPDX-License-Identifier: Apache-2.0
"""berthd dies in the middle of something: the next one finishes or undoes it."""
import json
import os
import pathlib
import sqlite3
import threading
import time

import grpc

from berth import wait_for
from gate import Gate, GatedNetwork


def in_background(call, *args, **fields):
    def run():
        try:
            call(*args, **fields)
        except (grpc.RpcError, ValueError):
            pass  # berthd was killed, or the channel was closed

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_killed_during_cni_add(berth):
    network = GatedNetwork(berth)
    in_background(berth.runtime.RunPodSandbox, config=berth.pod_config("slow"))
    wait_for(network.log.exists, what="the plugin's ADD")
    berth.restart()
    network.open()
    pod, = berth.runtime.ListPodSandbox().items
    assert pod.state == 1, pod
    berth.ids.add(pod.id)
    berth.remove_pod(pod.id)
    assert "DEL" in network.log.read_text(encoding="utf-8")
    assert not berth.runtime.ListPodSandbox().items
    berth.remove_pod(berth.run_pod(name="slow"))


def test_what_no_record_knows_is_removed(berth):
    stray = "a" * 64
    for folder in ("run/pods", "root/containers"):
        (berth.dir / folder / stray / "below").mkdir(parents=True)
    (berth.dir / "run/pods" / "not-an-id").mkdir()
    for name in (stray, "." + stray):
        (berth.dir / "run/exits" / name).write_text("0 1 0\n", encoding="utf-8")
    berth.restart()
    wait_for(lambda: not (berth.dir / "root/containers" / stray).exists(), what="the removal")
    wait_for(lambda: not (berth.dir / "run/pods" / stray).exists(), what="the removal")
    wait_for(lambda: not os.listdir(berth.dir / "run/exits"), what="the removal")
    (berth.dir / "run/pods" / "not-an-id").rmdir()  # ours was not touched


def test_an_exit_of_one_that_was_removed_is_forgotten(berth):
    """As its shim may tell it that hung while it was removed."""
    exits, stray = berth.dir / "run/exits", "b" * 64
    (exits / f".{stray}").write_text("0 1 0\n", encoding="utf-8")
    (exits / f".{stray}").rename(exits / stray)
    wait_for(lambda: not os.listdir(exits), what="the removal")


def test_a_start_that_was_not_recorded_is_found_running(berth):
    """As if berthd had died between the start of the process and its record."""
    container = berth.sh(berth.run_pod(host_network=True), "echo up; sleep 1000")
    berth.kill_daemon()
    with sqlite3.connect(berth.dir / "root" / "berth.db") as database:
        database.execute("UPDATE containers SET started_ns = 0, pid = 0")
    berth.start_daemon()
    wait_for(lambda: berth.state(container) == "CONTAINER_RUNNING", what="RUNNING")
    info = json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])
    assert pathlib.Path(f"/proc/{info['pid']}/comm").read_text(encoding="ascii") in ("sh\n", "sleep\n"), info["pid"]
    assert berth.exec_sync(container, "echo", "hi")[1] == "hi\n"
    berth.stop(container)
    assert berth.status(container).exit_code == 137 and berth.output(container) == "up\n"


def test_an_exit_that_was_not_recorded_is_found(berth):
    gate = Gate(berth)
    container = berth.sh(berth.run_pod(host_network=True), f"{gate.wait}; exit 8", mounts=[gate.mount])
    berth.kill_daemon()
    gate.open()
    with sqlite3.connect(berth.dir / "root" / "berth.db") as database:
        database.execute("UPDATE containers SET started_ns = 0, pid = 0")
    wait_for(lambda: os.listdir(berth.dir / "run/exits"), what="the exit record")
    berth.start_daemon()
    status = berth.wait_exited(container)
    assert (status.exit_code, status.reason) == (8, "Error") and 0 < status.started_at <= status.finished_at, status


def test_a_stop_goes_on_from_where_it_was(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.sh(pod, "n=0; trap 'echo term' TERM; echo up; while :; do sleep 0.05; done")
    wait_for(lambda: berth.output(container), what="up")
    in_background(berth.runtime.StopContainer, container_id=container, timeout=1000)
    wait_for(lambda: "term" in berth.output(container), what="the signal")
    berth.restart()
    assert berth.state(container) == "CONTAINER_RUNNING"
    berth.stop(container, timeout=1)
    assert berth.status(container).exit_code == 137


def test_an_exec_under_way_is_in_nobodys_way(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "1000")
    in_background(berth.runtime.ExecSync, container_id=container, cmd=["sleep", "77"], timeout=1000)
    wait_for(lambda: "sleep 77" in berth.exec_sync(container, "ps")[1], what="the exec")
    berth.restart()
    assert berth.exec_sync(container, "echo", "hi")[1] == "hi\n"
    berth.stop(container)
    berth.remove(container)


def test_a_state_that_only_a_living_berthd_knows_is_not_kept(berth):
    """A name is free again although the request that took it did not come to its end."""
    pod = berth.run_pod(host_network=True)
    for i in range(5):
        thread = in_background(berth.create, pod, "true", name="once")
        time.sleep(0.001 * i)
        berth.kill_daemon()
        thread.join()
        berth.start_daemon()
        for item in berth.runtime.ListContainers().containers:
            berth.ids.add(item.id)
            berth.remove(item.id)
        berth.remove(berth.create(pod, "true", name="once"))
