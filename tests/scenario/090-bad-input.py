# SPDX-License-Identifier: Apache-2.0
"""What is wrong is refused with a code and a sentence that names it, and leaves nothing."""
import json

import grpc


def refused(call, code=grpc.StatusCode.UNKNOWN):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it was accepted")


def test_ids(berth):
    get = lambda id: lambda: berth.runtime.PodSandboxStatus(pod_sandbox_id=id)
    refused(get("f" * 64), grpc.StatusCode.NOT_FOUND)
    refused(get(""))
    refused(lambda: berth.stop(""))
    pods = [berth.run_pod(host_network=True) for _ in range(17)]  # two of them begin alike
    first = {}
    twin = next(p for p in pods if first.setdefault(p[0], p) != p)
    assert "begin" in refused(get(twin[0]))
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=twin[:12]).status.id == twin


def test_missing_metadata_and_unknown_handler(berth):
    refused(lambda: berth.runtime.RunPodSandbox(config={}))
    words = refused(lambda: berth.run_pod(handler="kata"))
    assert '"kata"' in words, words


def test_host_network_with_a_hostname(berth):
    refused(lambda: berth.run_pod(host_network=True, hostname="x"))


def test_an_image_that_is_not_there(berth):
    pod = berth.run_pod(host_network=True)
    words = refused(lambda: berth.create(pod, "true", image={"image": "no/such:image"}), grpc.StatusCode.NOT_FOUND)
    assert "no/such:image" in words, words
    assert not berth.images.ImageStatus(image={"image": "no/such:image"}).HasField("image")


def test_a_network_that_fails_frees_the_name(berth):
    good = (berth.dir / "net.d" / "10-scenario.conflist").read_text(encoding="utf-8")
    berth.write_network({"type": "no-such-plugin"})
    words = refused(lambda: berth.run_pod(name="again"))
    assert "no-such-plugin" in words, words
    assert not berth.runtime.ListPodSandbox().items
    (berth.dir / "net.d" / "10-scenario.conflist").write_text(good, encoding="utf-8")
    berth.run_pod(name="again")
    assert json.loads(good)["name"] == "scenario"


def test_methods_that_are_not_served(berth):
    words = refused(lambda: berth.runtime.CheckpointContainer(container_id="x"), grpc.StatusCode.UNIMPLEMENTED)
    assert "CheckpointContainer" in words, words
