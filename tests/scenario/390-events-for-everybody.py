# SPDX-License-Identifier: Apache-2.0
"""GetContainerEvents: what waits for the first subscriber, several at once, and one that does not read."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from berth import PATIENCE, SOON, wait_for

CREATED, STARTED, STOPPED, DELETED = range(4)


def collect(berth, into, until):
    for event in berth.runtime.GetContainerEvents():
        into.append(event)
        if (event.container_event_type, event.container_id) == until():
            return


def test_the_first_subscriber_hears_what_happened_before(berth):
    pod = berth.run_pod(host_network=True)
    seen, wanted = [], lambda: (STARTED, pod)
    collect(berth, seen, wanted)
    assert [(e.container_event_type, e.container_id) for e in seen] == [(CREATED, pod), (STARTED, pod)], seen
    assert all(e.pod_sandbox_status.id == pod and e.pod_sandbox_status.state == 0 and e.created_at > 0 for e in seen)


def make_events_until(berth, pod, heard):
    """Whoever has heard of one of these hears all that comes after it."""
    wait_for(lambda: berth.remove(berth.create(pod, "true")) or heard(), what="an event")


def test_who_comes_back_hears_what_was_missed(berth):
    """A kubelet that is started anew: nothing goes to the stream that it has left."""
    left = berth.runtime.GetContainerEvents(rpc_timeout=60)
    one = berth.run_pod(host_network=True)
    assert next(left).container_id == one
    left.cancel()
    wait_for(lambda: "GetContainerEvents" in berth.log_file.read_text(), what="the end of the stream")
    two = berth.run_pod(host_network=True)
    berth.remove_pod(one)
    seen = []
    collect(berth, seen, lambda: (DELETED, one))
    assert [(e.container_event_type, e.container_id) for e in seen] == [
        (CREATED, two), (STARTED, two), (STOPPED, one), (DELETED, one)], seen


def test_everybody_hears_everything_once(berth):
    last = []
    heard = [[], [], []]
    threads = [threading.Thread(target=collect, args=(berth, seen, lambda: (DELETED, last[0] if last else "")))
               for seen in heard]
    for thread in threads:
        thread.start()
    early = berth.run_pod(host_network=True)
    make_events_until(berth, early, lambda: all(heard))
    pods = [berth.run_pod(host_network=True) for _ in range(3)]
    for pod in pods:
        berth.wait_exited(berth.run(pod, "true"))
    last.append(pods[-1])
    for pod in pods:
        berth.remove_pod(pod)
    for thread in threads:
        thread.join(PATIENCE)
    words = [[(e.container_event_type, e.container_id) for e in seen if e.pod_sandbox_status.id != early] for seen in heard]
    assert len(words[0]) == 3 * 8 and words[0] == words[1] == words[2], words
    stopped = [e for e in heard[0] if e.container_event_type == STOPPED and e.container_id in pods]
    assert len(stopped) == 3 and all(e.pod_sandbox_status.state == 1 for e in stopped)


def test_short_containers_start_and_stop_once_each(berth):
    """Their end is seen while their start is being told, from more than one side at once."""
    pod = berth.run_pod(host_network=True)
    seen, count = [], 16
    thread = threading.Thread(target=collect, args=(berth, seen, lambda: (DELETED, pod)))
    thread.start()
    with ThreadPoolExecutor(8) as pool:
        containers = list(pool.map(lambda i: berth.run(pod, "true", name=f"c{i}"), range(count)))
    for container in containers:
        berth.wait_exited(container)
        berth.stop(container, 5)
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
    thread.join(PATIENCE)
    for container in containers:
        kinds = sorted(e.container_event_type for e in seen if e.container_id == container)
        assert kinds == [CREATED, STARTED, STOPPED, DELETED], kinds


def test_who_does_not_read_holds_up_nobody(berth):
    deaf = berth.runtime.GetContainerEvents(rpc_timeout=600)
    pod = berth.run_pod(host_network=True, annotations={"big": "x" * 100000})
    heard, count = [], 60
    reader = threading.Thread(target=collect, args=(berth, heard, lambda: (DELETED, pod)))
    reader.start()
    make_events_until(berth, pod, lambda: heard)
    start = time.monotonic()
    containers = [berth.create(pod, "true", name=f"counted{i}") for i in range(count)]
    for container in containers:
        berth.remove(container)
    assert time.monotonic() - start < SOON
    berth.remove_pod(pod)
    reader.join(PATIENCE)
    counted = [e for e in heard if e.container_id in {*containers, pod}]
    assert len(counted) == 2 * count + 2, len(counted)
    deaf.cancel()


def test_a_start_that_fails_tells_nothing(berth):
    seen = []
    pod = berth.run_pod(host_network=True)
    thread = threading.Thread(target=collect, args=(berth, seen, lambda: (DELETED, pod)))
    thread.start()
    container = berth.create(pod, "/no/such/program")
    try:
        berth.start(container)
    except Exception:  # as it should
        assert berth.state(container) == "CONTAINER_EXITED"
    berth.remove_pod(pod)
    thread.join(PATIENCE)
    wait_for(lambda: not thread.is_alive(), what="the last event")
    assert [e.container_event_type for e in seen if e.container_id == container] == [CREATED, DELETED], seen
