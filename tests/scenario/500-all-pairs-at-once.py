# SPDX-License-Identifier: Apache-2.0
"""Every pair of calls on one container and its pod at the same time: each ends as the matrix of the
behaviour specification (§3) allows, the pod can be removed afterwards, and nothing is left."""
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from berth import PATIENCE

C = grpc.StatusCode
AT_ONCE = 6
SCRIPT = "trap 'exit 0' TERM; while :; do sleep 0.05; done"

CALLS = {
    "Start": lambda b, p, c: b.start(c),
    "Stop0": lambda b, p, c: b.stop(c, 0),
    "Stop1": lambda b, p, c: b.stop(c, 1),
    "Remove": lambda b, p, c: b.remove(c),
    "Exec": lambda b, p, c: b.exec_sync(c, "true"),
    "Reopen": lambda b, p, c: b.runtime.ReopenContainerLog(container_id=c),
    "Status": lambda b, p, c: b.status(c),
    "Stats": lambda b, p, c: b.runtime.ContainerStats(container_id=c),
    "Update": lambda b, p, c: b.runtime.UpdateContainerResources(container_id=c, linux={"cpu_shares": 512}),
    "StopPod": lambda b, p, c: b.runtime.StopPodSandbox(pod_sandbox_id=p),
    "RemovePod": lambda b, p, c: b.runtime.RemovePodSandbox(pod_sandbox_id=p),
    "Create": lambda b, p, c: b.create(p, "true"),
}
ENDS = {"Stop0", "Stop1", "Remove", "StopPod", "RemovePod"}  # a running container
REMOVES = {"Remove", "RemovePod"}


def allowed(call, state, other):
    """The codes that call may have when other comes at the same time."""
    codes = {C.OK}
    if call in ("Stop0", "Stop1", "StopPod"):
        return codes
    if other in REMOVES and call not in ("Remove", "RemovePod"):
        codes.add(C.NOT_FOUND)
    if call == "Start":
        codes = codes - {C.OK} if state == "RUNNING" else codes
        if state == "RUNNING" or other in REMOVES | {"Start", "StopPod"}:
            codes |= {C.UNKNOWN}
        if other in ("StopPod", "RemovePod"):
            codes |= {C.FAILED_PRECONDITION, C.UNAVAILABLE}
    elif call in ("Exec", "Reopen", "Stats"):
        if state == "CREATED" and other != "Start":
            codes -= {C.OK}
        if state == "CREATED" or other in ENDS:
            codes |= {C.UNKNOWN}
        if other in ENDS and call != "Stats":
            codes |= {C.FAILED_PRECONDITION, C.UNAVAILABLE, C.NOT_FOUND}
    elif call in ("Remove", "RemovePod"):
        if other in REMOVES | {"Start"}:
            codes |= {C.UNKNOWN}
    elif call == "Update" and other in ENDS:
        codes |= {C.UNKNOWN}  # what the OCI runtime says of a container that ends under its hands
    elif call == "Create" and other in ("StopPod", "RemovePod"):
        codes |= {C.UNKNOWN}
    return codes


def outcome(berth, call, pod, container, barrier):
    barrier.wait()
    try:
        CALLS[call](berth, pod, container)
    except grpc.RpcError as e:
        return e.code(), e.details()
    return C.OK, ""


def until_done(call, **fields):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call(**fields)
        except grpc.RpcError as e:
            assert time.monotonic() < end, e
            time.sleep(0.02)


def play_pair(berth, state, one, two):
    pod = berth.run_pod(host_network=True)
    container = berth.create(pod, "sh", "-c", SCRIPT)
    if state == "RUNNING":
        berth.start(container)
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(outcome, berth, one, pod, container, barrier)
        second = pool.submit(outcome, berth, two, pod, container, barrier)
    for call, other, (code, words) in ((one, two, first.result()), (two, one, second.result())):
        assert code in allowed(call, state, other), f"{state}: {call} beside {other}: {code} {words}"
    until_done(berth.runtime.StopPodSandbox, pod_sandbox_id=pod)
    until_done(berth.runtime.RemovePodSandbox, pod_sandbox_id=pod)
    left = [c.id for c in berth.runtime.ListContainers().containers if c.pod_sandbox_id == pod]
    assert not left, f"{state}: {one} beside {two} leaves containers {left}"


def play_all(berth, state):
    pairs = itertools.combinations_with_replacement(CALLS, 2)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(play_pair, berth, state, *pair) for pair in pairs]:
            done.result()


def test_of_a_created_container(berth):
    play_all(berth, "CREATED")


def test_of_a_running_container(berth):
    play_all(berth, "RUNNING")
