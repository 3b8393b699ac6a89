# SPDX-License-Identifier: Apache-2.0
"""UpdateRuntimeConfig: a network is made from the template for the pod CIDR, if there is none."""
import json
import os

import grpc

TEMPLATE = """{
  "cniVersion": "1.0.0", "name": "from-template",
  "plugins": [{"type": "bridge", "bridge": "berth0", "isGateway": true,
    "ipam": {"type": "host-local", "dataDir": "@DIR@/addresses",
      "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}],
      "routes": [{{range $i, $route := .Routes}}{{if $i}}, {{end}}{"dst": "{{$route}}"}{{end}}]}}]
}
"""
STARTED = False


def start(berth, template=TEMPLATE, with_network=False):
    if not with_network:
        (berth.dir / "net.d" / "10-scenario.conflist").unlink()
    if template:
        (berth.dir / "template").write_text(template.replace("@DIR@", str(berth.dir)), encoding="utf-8")
        berth.config["cni"]["conf_template"] = str(berth.dir / "template")
    berth.start_daemon()


def update(berth, cidr):
    berth.runtime.UpdateRuntimeConfig(runtime_config={"network_config": {"pod_cidr": cidr}})


def refused(berth, cidr):
    try:
        update(berth, cidr)
    except grpc.RpcError as e:
        assert e.code() != grpc.StatusCode.UNIMPLEMENTED, e
        return e.code(), e.details()
    raise AssertionError("it was accepted")


def test_a_network_is_made_and_works(berth):
    start(berth)
    ready = lambda: berth.runtime.Status().status.conditions[1].status
    assert not ready()
    update(berth, "")
    berth.runtime.UpdateRuntimeConfig()
    assert not os.listdir(berth.dir / "net.d")
    update(berth, "10.89.7.0/24, fd89::/64")
    path = berth.dir / "net.d" / "10-berth-net.conflist"
    ipam = json.loads(path.read_text(encoding="utf-8"))["plugins"][0]["ipam"]
    assert ipam["ranges"] == [[{"subnet": "10.89.7.0/24"}], [{"subnet": "fd89::/64"}]], ipam
    assert ipam["routes"] == [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}] and path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(berth.dir / "net.d") == [path.name] and ready()
    pod = berth.run_pod()
    network = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network
    assert network.ip.startswith("10.89.7.") and network.additional_ips[0].ip.startswith("fd89::"), network
    update(berth, "10.99.0.0/24")
    assert json.loads(path.read_text(encoding="utf-8"))["plugins"][0]["ipam"] == ipam
    berth.remove_pod(pod)
    for name in os.listdir(berth.dir / "addresses" / "from-template"):
        assert "10.89.7" not in name or name.startswith("last_reserved"), name


def test_bad_input_writes_nothing(berth):
    start(berth)
    for cidr in ("10.0.0.0", "10.0.0.0/33", "10.0.0.0/8,", "x", "fd00::/129"):
        code, words = refused(berth, cidr)
        assert code == grpc.StatusCode.UNKNOWN and "CIDR" in words, words
    (berth.dir / "template").write_text("{\n{{.PodCIDRs}}", encoding="utf-8")
    assert "template line 2: not known: .PodCIDRs" in refused(berth, "10.0.0.0/8")[1]
    (berth.dir / "template").write_text("{{.PodCIDR}}", encoding="utf-8")
    assert "no JSON" in refused(berth, "10.0.0.0/8")[1]
    (berth.dir / "template").unlink()
    assert str(berth.dir / "template") in refused(berth, "10.0.0.0/8")[1]
    assert not os.listdir(berth.dir / "net.d")


def test_without_a_template_or_with_a_network_nothing_is_done(berth):
    start(berth, with_network=True)
    update(berth, "10.89.7.0/24")
    assert os.listdir(berth.dir / "net.d") == ["10-scenario.conflist"]


def test_without_a_template_it_is_fine_and_a_bad_cidr_still_is_not(berth):
    start(berth, template="")
    update(berth, "10.89.7.0/24")
    assert not os.listdir(berth.dir / "net.d")
    assert refused(berth, "nonsense")[0] == grpc.StatusCode.UNKNOWN
