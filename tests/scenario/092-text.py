# SPDX-License-Identifier: Apache-2.0
"""Strings are UTF-8: others are refused as grpc-go does it, and none goes out, whatever went wrong."""
import grpc

import protocol
from berth import wait_for

LONG = "ä" * 900


def raw(berth, method, request):
    """Sends bytes that no protobuf library would make."""
    call = berth.channel.unary_unary(f"/runtime.v1.RuntimeService/{method}")
    try:
        call(request, timeout=protocol.RPC_TIMEOUT)
    except grpc.RpcError as e:
        return e.code(), e.details()
    return grpc.StatusCode.OK, ""


def test_requests(berth):
    config = berth.pod_config("odd", host_network=True, labels={"odd": "X" * 8})
    request = protocol.message("runtime.v1.RunPodSandboxRequest", config=config).SerializeToString()
    code, words = raw(berth, "RunPodSandbox", request.replace(b"X" * 8, b"\xff" * 8))
    assert code == grpc.StatusCode.INTERNAL and "invalid UTF-8" in words, (code, words)
    code, words = raw(berth, "RunPodSandbox", request.replace(b"X" * 8, b"X\0" * 4))
    assert code == grpc.StatusCode.INTERNAL and "string field value contains a NUL byte" in words, (code, words)
    assert not berth.runtime.ListPodSandbox().items
    berth.run_pod("odd", host_network=True, labels={"odd": "ä\n\t\x7f\u2028😀"})
    assert berth.runtime.ListPodSandbox().items[0].labels["odd"] == "ä\n\t\x7f\u2028😀"


def test_what_went_wrong(berth):
    """The sentence is longer than what is kept of it, and cut inside of a character or before one."""
    pod = berth.run_pod(host_network=True)
    for i in range(2):
        container = berth.create(pod, "/" + "x" * i + "/".join([LONG[:120]] * 8))
        try:
            berth.start(container)
        except grpc.RpcError as e:
            assert "ä" in e.details(), e
        else:
            raise AssertionError("it was started")
        assert berth.status(container).reason == "StartError" and "ä" in berth.status(container).message
    assert wait_for(berth.runtime.ListContainers, what="the list").containers
