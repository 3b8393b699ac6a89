# SPDX-License-Identifier: Apache-2.0
"""ListPodSandbox and ListContainers, and their streams: every filter, alone and together."""
import json

from berth import IMAGE


def pods(berth, **filter_):
    listed = {item.id for item in berth.runtime.ListPodSandbox(filter=filter_).items}
    batches = list(berth.runtime.StreamPodSandboxes(filter=filter_))
    assert listed == {p.id for batch in batches for p in batch.pod_sandboxes}, filter_
    assert all(batch.pod_sandboxes for batch in batches), "an empty batch"
    return listed


def containers(berth, **filter_):
    listed = {item.id for item in berth.runtime.ListContainers(filter=filter_).containers}
    batches = list(berth.runtime.StreamContainers(filter=filter_))
    assert listed == {c.id for batch in batches for c in batch.containers}, filter_
    assert all(batch.containers for batch in batches), "an empty batch"
    return listed


def test_pods(berth):
    assert pods(berth) == set()
    a = berth.run_pod(host_network=True, labels={"app": "x", "tier": "1"}, annotations={"odd": "ä\n\"'\\"})
    b = berth.run_pod(host_network=True, labels={"app": "x", "tier": "2"})
    berth.runtime.StopPodSandbox(pod_sandbox_id=b)
    assert pods(berth) == {a, b}
    assert pods(berth, id=a) == pods(berth, id=a[:13]) == {a}
    assert pods(berth, id="no such") == set()
    assert pods(berth, state={"state": 0}) == {a} and pods(berth, state={"state": 1}) == {b}
    assert pods(berth, state={"state": 7}) == set()
    assert pods(berth, label_selector={"app": "x"}) == {a, b}
    assert pods(berth, label_selector={"app": "x", "tier": "2"}) == {b}
    assert pods(berth, label_selector={"app": "X"}) == set()
    assert pods(berth, id=b[:13], state={"state": 0}) == set()
    item = berth.runtime.ListPodSandbox(filter={"id": a}).items[0]
    status = berth.runtime.PodSandboxStatus(pod_sandbox_id=a[:13]).status
    for answer in (item, status):
        assert answer.annotations["odd"] == "ä\n\"'\\" and dict(answer.labels) == {"app": "x", "tier": "1"}
        assert answer.metadata.name and answer.created_at > 0
    berth.restart()
    assert pods(berth, label_selector={"tier": "1"}) == {a} and pods(berth, state={"state": 1}) == {b}


def test_containers(berth):
    one, two = berth.run_pod(host_network=True), berth.run_pod(host_network=True)
    created = berth.create(one, "true", labels={"k": "1"})
    running = berth.run(one, "sleep", "100", labels={"k": "2"}, annotations={"x": ""})
    exited = berth.run(two, "true", labels={"k": "1"})
    berth.wait_exited(exited)
    assert containers(berth) == {created, running, exited}
    assert [containers(berth, state={"state": n}) for n in range(4)] == [{created}, {running}, {exited}, set()]
    assert containers(berth, id=running[:13]) == {running} and containers(berth, id="no such") == set()
    assert containers(berth, pod_sandbox_id=one[:13]) == {created, running}
    assert containers(berth, pod_sandbox_id="no such") == set()
    assert containers(berth, label_selector={"k": "1"}) == {created, exited}
    assert containers(berth, label_selector={"k": "1"}, pod_sandbox_id=two, state={"state": 2}) == {exited}
    item = berth.runtime.ListContainers(filter={"id": running}).containers[0]
    status = berth.status(running[:13])
    assert item.image_id == item.image_ref == status.image_id, (item, status)
    assert item.pod_sandbox_id == one and dict(item.annotations) == dict(status.annotations) == {"x": ""}
    assert item.created_at == status.created_at and status.finished_at == 0


def test_what_was_asked_for_can_be_seen(berth):
    """The config of the verbose status has the shape that crictl inspect prints with other runtimes."""
    pod = berth.run_pod(host_network=True, annotations={"a": "b"})
    container = berth.create(pod, "true", envs=[{"key": "K", "value": b"v"}], stop_signal="SIGNAL_SIGINT", log_path="x")
    info = lambda answer: json.loads(answer.info["info"])
    for _ in range(2):
        config = info(berth.runtime.ContainerStatus(container_id=container, verbose=True))["config"]
        assert config == {"metadata": {"name": "c2"}, "image": {"image": IMAGE}, "args": ["true"], "log_path": "x",
                          "envs": [{"key": "K", "value": "dg=="}], "stop_signal": 10}, config
        config = info(berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True))["config"]
        assert config["annotations"] == {"a": "b"} and config["metadata"]["uid"] == "uid-pod1", config
        assert config["linux"]["security_context"] == {"namespace_options": {"network": 2, "pid": 1}}, config
        berth.restart()
