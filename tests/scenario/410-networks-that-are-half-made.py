# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong while a pod gets its network, or loses it, ends with the address given back, the name free
and nothing left, or with a pod that can be removed later."""
import os
import signal
import subprocess
import threading

import grpc

import leaks
from berth import PATIENCE, wait_for

C = grpc.StatusCode
PREVIOUS = 'import json,sys; print(json.dumps(json.load(sys.stdin)["prevResult"]))'


class Plugin:
    """The last plugin of the list. Files beside its log tell it to wait, to fail, or to forget the addresses."""

    def __init__(self, berth):
        self.berth, self.folder = berth, berth.dir / "plugins"
        self.folder.mkdir()
        program = self.folder / "fickle"
        program.write_text(f"""#!/bin/sh
conf=$(cat)
cd {self.folder}
echo "$CNI_COMMAND[$CNI_NETNS]" >> log
while [ -e hold-$CNI_COMMAND ]; do sleep 0.02; done
if [ -e fail-$CNI_COMMAND ]; then echo '{{"code": 999, "msg": "fickle"}}'; exit 1; fi
[ $CNI_COMMAND = ADD ] || exit 0
if [ -e forget ]; then echo '{{"cniVersion": "1.0.0"}}'; exit 0; fi
echo "$conf" | /usr/bin/python3 -c '{PREVIOUS}'
""", encoding="utf-8")
        program.chmod(0o755)
        berth.config["cni"]["bin_dirs"].append(str(self.folder))
        berth.write_network({"type": "fickle"})
        berth.restart()

    def set(self, name, on=True):
        if on:
            (self.folder / name).touch()
        else:
            (self.folder / name).unlink()

    def told(self):
        log = self.folder / "log"
        return log.read_text(encoding="utf-8").split() if log.exists() else []

    def count(self, command):
        return len([word for word in self.told() if word.startswith(command)])


def refused(code, words, call, *args, **fields):
    try:
        call(*args, **fields)
    except grpc.RpcError as e:
        assert e.code() == code and words in e.details(), e
        return
    raise AssertionError("it was accepted")


def addresses(berth):
    folder = berth.dir / "addresses/scenario"
    return [name for name in os.listdir(folder) if name.startswith("10.")] if folder.exists() else []


def check_nothing_is_left(berth, plugin, dels=1):
    assert plugin.count("DEL") == dels and not addresses(berth), plugin.told()
    assert not berth.runtime.ListPodSandbox().items and not os.listdir(berth.dir / "run/pods")


def test_the_last_plugin_fails(berth):
    plugin = Plugin(berth)
    plugin.set("fail-ADD")
    refused(C.UNKNOWN, "fickle", berth.run_pod, "p")
    check_nothing_is_left(berth, plugin)
    plugin.set("fail-ADD", False)
    berth.run_pod("p")


def test_the_plugins_give_no_address(berth):
    plugin = Plugin(berth)
    plugin.set("forget")
    refused(C.UNKNOWN, "", berth.run_pod, "p")
    check_nothing_is_left(berth, plugin)
    plugin.set("forget", False)
    berth.run_pod("p")


def test_it_fails_when_the_client_has_left(berth):
    """The undoing has a time of its own."""
    plugin = Plugin(berth)
    plugin.set("hold-ADD")
    plugin.set("fail-ADD")
    refused(C.DEADLINE_EXCEEDED, "", berth.runtime.RunPodSandbox, config=berth.pod_config("p"), rpc_timeout=3)
    wait_for(lambda: plugin.count("ADD"), what="ADD")
    assert len(addresses(berth)) == 1
    plugin.set("hold-ADD", False)
    wait_for(lambda: not os.listdir(berth.dir / "run/pods"), what="the undoing")
    plugin.set("fail-ADD", False)

    def run():
        try:
            return berth.run_pod("p")
        except grpc.RpcError as e:
            joined = e.code() == C.UNKNOWN and "fickle" in e.details() and e.details().count("run pod") == 1
            assert joined or e.code() == C.FAILED_PRECONDITION, e
            return ""

    pod = wait_for(run, what="the name")
    assert plugin.count("DEL") == 1 and len(addresses(berth)) == 1
    berth.remove_pod(pod)
    check_nothing_is_left(berth, plugin, dels=2)


def shims(berth):
    return [pid for pid, words in leaks.processes(str(berth.dir)).items() if "containerd-shim-berth-v2" in words]


def test_the_shim_ends_meanwhile(berth):
    plugin = Plugin(berth)
    plugin.set("hold-ADD")
    outcome = []

    def run():
        try:
            outcome.append(berth.run_pod("p"))
        except grpc.RpcError as e:
            outcome.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: plugin.count("ADD"), what="ADD")
    for pid in shims(berth):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not shims(berth), what="the end of the shim")
    plugin.set("hold-ADD", False)
    thread.join(PATIENCE)
    assert isinstance(outcome[0], grpc.RpcError) and outcome[0].code() == C.UNKNOWN, outcome
    check_nothing_is_left(berth, plugin)
    berth.run_pod("p")


def test_a_network_that_could_not_be_taken_down_is_tried_again(berth):
    plugin = Plugin(berth)
    pod = berth.run_pod("p")
    container = berth.run(pod, "sleep", "1000")
    plugin.set("fail-DEL")
    for turn, call in enumerate((berth.runtime.StopPodSandbox, berth.runtime.StopPodSandbox,
                                 berth.runtime.RemovePodSandbox), start=1):
        refused(C.UNKNOWN, "fickle", call, pod_sandbox_id=pod)
        assert plugin.count("DEL") == turn, plugin.told()
        item, = berth.runtime.ListPodSandbox().items
        assert item.state == berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1
        assert berth.state(container) == "CONTAINER_EXITED"
    berth.restart()
    plugin.set("fail-DEL", False)
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip == ""
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
    assert not addresses(berth) and not berth.runtime.ListPodSandbox().items


def test_the_namespace_has_vanished(berth):
    """The plugins are asked all the same, as the specification of CNI says: without a path."""
    plugin = Plugin(berth)
    pod = berth.run_pod("p")
    netns = berth.dir / "run/pods" / pod / "ns/net"
    assert plugin.told() == [f"ADD[{netns}]"]
    subprocess.run(["umount", "-l", netns], check=True)
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert plugin.told()[1:] == ["DEL[]"]
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1 and not addresses(berth)
    berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
