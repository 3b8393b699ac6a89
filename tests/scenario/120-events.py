# SPDX-License-Identifier: Apache-2.0
"""GetContainerEvents tells every subscriber what happened, with the states of the pod."""


def test_the_life_of_a_pod(berth):
    stream = berth.runtime.GetContainerEvents()
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "true")
    berth.wait_exited(container)
    berth.remove(container)
    berth.remove_pod(pod)
    seen = []
    for event in stream:
        seen.append((event.container_event_type, event.container_id,
                     [s.state for s in event.containers_statuses]))
        if event.container_event_type == 3 and event.container_id == pod:
            break
    assert [e[:2] for e in seen if e[1] == pod] == [(t, pod) for t in (0, 1, 2, 3)], seen
    assert {e[0] for e in seen if e[1] == container} == {0, 1, 2, 3}, seen
    assert (0, container, [0]) in seen and (2, container, [2]) in seen and (3, container, []) in seen, seen
