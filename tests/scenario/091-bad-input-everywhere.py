# SPDX-License-Identifier: Apache-2.0
"""Every call with ids that are empty, ambiguous or unknown, in every wrong state, and with values at
the edge: the codes of the behaviour specification (§1.2), and nothing has changed."""
import grpc

C = grpc.StatusCode
SANDBOX = {"metadata": {"name": "x", "uid": "x", "namespace": "x"}}
CONTAINER_CALLS = {
    "StartContainer": {}, "StopContainer": {}, "RemoveContainer": {}, "ContainerStatus": {},
    "ExecSync": {"cmd": ["true"]}, "Exec": {"cmd": ["true"], "stdout": True}, "Attach": {"stdout": True},
    "ReopenContainerLog": {}, "UpdateContainerResources": {"linux": {"cpu_shares": 100}}, "ContainerStats": {},
}
POD_CALLS = {
    "StopPodSandbox": {}, "RemovePodSandbox": {}, "PodSandboxStatus": {}, "PodSandboxStats": {},
    "PortForward": {"port": [80]}, "UpdatePodSandboxResources": {},
    "CreateContainer": {"config": {"metadata": {"name": "x"}, "image": {"image": "x"}}, "sandbox_config": SANDBOX},
}
IDEMPOTENT = {"StopContainer", "RemoveContainer", "StopPodSandbox", "RemovePodSandbox"}


def code_of(call, **fields):
    try:
        call(**fields)
    except grpc.RpcError as e:
        return e.code()
    return C.OK


def everything(berth):
    """What there is, and in which state."""
    pods = {p.id: p.state for p in berth.runtime.ListPodSandbox().items}
    return pods, {c.id: c.state for c in berth.runtime.ListContainers().containers}


def check_ids(berth, calls, field, ids):
    beginnings = [i[0] for i in ids]
    twin = next(b for b in beginnings if beginnings.count(b) > 1)
    before = everything(berth)
    for method, fields in calls.items():
        call = getattr(berth.runtime, method)
        unknown = C.OK if method in IDEMPOTENT else C.NOT_FOUND
        for value, code in (("", C.UNKNOWN), (twin, C.UNKNOWN), ("f" * 64, unknown), ("no such id", unknown)):
            assert (got := code_of(call, **{field: value}, **fields)) == code, f"{method}({value!r}): {got}"
    assert everything(berth) == before


def test_ids_of_pods(berth):
    check_ids(berth, POD_CALLS, "pod_sandbox_id", [berth.run_pod(host_network=True) for _ in range(17)])


def test_ids_of_containers(berth):
    pod = berth.run_pod(host_network=True)
    check_ids(berth, CONTAINER_CALLS, "container_id", [berth.create(pod, "true") for _ in range(17)])


def test_the_beginning_of_an_id_will_do(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "1000", log_path="x.log")
    for method in ("ContainerStatus", "ExecSync", "Exec", "Attach", "ReopenContainerLog", "UpdateContainerResources",
                   "ContainerStats", "StopContainer", "RemoveContainer"):
        code = code_of(getattr(berth.runtime, method), container_id=container[:12], **CONTAINER_CALLS[method])
        assert code == C.OK, f"{method}: {code}"
    for method in ("PodSandboxStatus", "PortForward", "UpdatePodSandboxResources", "StopPodSandbox", "RemovePodSandbox"):
        code = code_of(getattr(berth.runtime, method), pod_sandbox_id=pod[:12], **POD_CALLS[method])
        assert code == C.OK, f"{method}: {code}"
    assert everything(berth) == ({}, {})


def test_wrong_states(berth):
    pod = berth.run_pod(host_network=True)
    created, running, exited = berth.create(pod, "true"), berth.run(pod, "sleep", "1000"), berth.run(pod, "true")
    berth.wait_exited(exited)
    before = everything(berth)
    for method, wrong in (("StartContainer", (running, exited)), ("ExecSync", (created, exited)),
                          ("Exec", (created, exited)), ("Attach", (created, exited)),
                          ("ReopenContainerLog", (created, exited)), ("ContainerStats", (created, exited))):
        for container in wrong:
            code = code_of(getattr(berth.runtime, method), container_id=container, **CONTAINER_CALLS[method])
            assert code == C.UNKNOWN, f"{method} {berth.state(container)}: {code}"
    for container in (created, exited):
        berth.stop(container, 5)
    assert everything(berth) == before and berth.status(exited).reason == "Completed"
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    for method, code in (("CreateContainer", C.UNKNOWN), ("PortForward", C.UNKNOWN), ("PodSandboxStats", C.UNAVAILABLE)):
        got = code_of(getattr(berth.runtime, method), pod_sandbox_id=pod, **POD_CALLS[method])
        assert got == code, f"{method}: {got}"


def test_what_is_missing(berth):
    pod = berth.run_pod(host_network=True)
    whole = {"metadata": {"name": "c"}, "image": {"image": "localhost/busybox:latest"}, "args": ["true"]}
    without = lambda key: {k: v for k, v in whole.items() if k != key}
    for fields in ({}, {"config": whole}, {"sandbox_config": SANDBOX}, {"config": {}, "sandbox_config": SANDBOX},
                   {"config": without("metadata"), "sandbox_config": SANDBOX}, {"config": whole, "sandbox_config": {}},
                   {"config": without("image"), "sandbox_config": SANDBOX},
                   {"config": {**whole, "image": {}}, "sandbox_config": SANDBOX}):
        code = code_of(berth.runtime.CreateContainer, pod_sandbox_id=pod, **fields)
        assert code in (C.UNKNOWN, C.INVALID_ARGUMENT), f"{fields}: {code}"
    for fields in ({}, {"config": {}}, {"config": {"hostname": "x"}}):
        assert code_of(berth.runtime.RunPodSandbox, **fields) == C.UNKNOWN, fields
    assert everything(berth) == ({pod: 0}, {})


def test_values_at_the_edge(berth):
    """Long names, odd labels, timeouts below zero, log paths that lead out."""
    odd = {"": "", "/": "=", "a\nb": "\t", "'; --": "\\0%s\u202e", "k" * 4096: "v" * 4096}
    pod = berth.run_pod(name="p" * 253, host_network=True, labels=odd, annotations=odd)
    container = berth.create(pod, "sleep", "1000", name="../../" + "c" * 253, log_path="c.log", labels=odd, annotations=odd)
    item = berth.runtime.ListContainers(filter={"label_selector": {"a\nb": "\t", "": ""}}).containers[0]
    assert dict(item.labels) == odd and dict(item.annotations) == odd and item.metadata.name == "../../" + "c" * 253
    assert dict(berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.annotations) == odd
    assert not berth.runtime.ListContainers(filter={"label_selector": {"/": "!"}}).containers
    for path in ("../out.log", "a/../../out.log", "..", "a/.."):
        code = code_of(lambda path: berth.create(pod, "true", name="out", log_path=path), path=path)
        assert code == C.INVALID_ARGUMENT, f"{path}: {code}"
    code = code_of(lambda: berth.create(pod, "true", name="signal", stop_signal=66))
    assert code == C.INVALID_ARGUMENT, code
    assert len(berth.runtime.ListContainers().containers) == 1
    berth.start(container)
    berth.restart()
    assert dict(berth.status(container).labels) == odd
    berth.stop(container, -5)
    assert berth.status(container).exit_code == 137


def test_a_request_that_is_too_long(berth):
    code = code_of(berth.run_pod, host_network=True, labels={"long": "x" * (17 << 20)})
    assert code == C.RESOURCE_EXHAUSTED, code
    assert everything(berth) == ({}, {})
