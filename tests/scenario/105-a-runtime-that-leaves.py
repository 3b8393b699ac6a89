# SPDX-License-Identifier: Apache-2.0
"""A runtime handler that leaves the configuration: its pods go on, can be stopped and removed, and
nothing new starts in them."""
import json
import os
import shutil
import signal

import grpc

from berth import wait_for

CRUN = shutil.which("crun")
CONFIG = {"runtimes": {"crun": {"path": CRUN}, "other": {"path": CRUN}}}


def refused(call):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.UNKNOWN, e
        return e.details()
    raise AssertionError("it was accepted")


def start_without(berth, name):
    berth.config["runtimes"] = {key: value for key, value in CONFIG["runtimes"].items() if key != name}
    berth.restart()


def test_its_pods_go_on_and_nothing_new_starts(berth):
    pod = berth.run_pod(handler="other", host_network=True)
    running, created = berth.run(pod, "sleep", "1000"), berth.create(pod, "true")
    start_without(berth, "other")
    item = berth.runtime.ListPodSandbox().items[0]
    assert (item.state, item.runtime_handler) == (0, "other") and berth.state(running) == "CONTAINER_RUNNING"
    assert berth.exec_sync(running, "echo", "hi")[1] == "hi\n"
    for words in (refused(lambda: berth.create(pod, "true")), refused(lambda: berth.start(created))):
        assert '"other", which is not configured any more' in words, words
    assert berth.status(created).reason == "StartError" and "other" in berth.status(created).message
    assert "other" in refused(lambda: berth.run_pod(handler="other"))
    berth.restart()
    berth.stop(running, 1)
    berth.remove(running)
    berth.config["runtimes"] = CONFIG["runtimes"]
    berth.restart()
    assert berth.wait_exited(berth.run(pod, "true")).exit_code == 0  # it is back


def test_what_its_shim_leaves_is_ended_by_the_program_of_the_record(berth):
    pod = berth.run_pod(handler="other", host_network=True)
    container = berth.run(pod, "sleep", "1000")
    shim = berth.shim_pid(pod)
    start_without(berth, "other")
    kept = berth.dir / "run/runtimes/other" / container
    assert kept.exists()
    os.kill(shim, signal.SIGKILL)
    assert berth.wait_exited(container).exit_code == 137
    wait_for(lambda: not kept.exists(), what="the runtime's own removal")
    info = json.loads(berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"])
    assert info["runtime"] == CRUN, info
