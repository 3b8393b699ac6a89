# SPDX-License-Identifier: Apache-2.0
"""A CNI plugin is removed while pods have their network from it: they can be removed all the same,
and their addresses are given back when it is there again."""
import os
import time

import grpc

from berth import wait_for


def use_plugins_of_its_own(berth):
    folder = berth.dir / "plugins"
    folder.mkdir()
    for name in ("bridge", "host-local", "portmap"):
        (folder / name).symlink_to(f"/usr/lib/cni/{name}")
    berth.config["cni"]["bin_dirs"] = [str(folder)]
    berth.restart()
    return folder


def addresses(berth):
    return [name for name in os.listdir(berth.dir / "addresses/scenario") if name.startswith("10.")]


def test_its_pods_are_removed_and_their_addresses_later(berth):
    folder = use_plugins_of_its_own(berth)
    pods = [berth.run_pod(name=f"p{i}") for i in range(3)]
    assert len(addresses(berth)) == 3
    (folder / "bridge").unlink()
    for pod in pods[:2]:
        berth.remove_pod(pod)
    assert [p.id for p in berth.runtime.ListPodSandbox().items] == pods[2:] and len(addresses(berth)) == 3
    assert 'failed to find plugin "bridge"' in berth.log_file.read_text()
    try:
        berth.run_pod(name="p0")
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.UNKNOWN and '"bridge"' in e.details(), e
    else:
        raise AssertionError("a pod came up without its network")
    berth.restart()
    (folder / "bridge").symlink_to("/usr/lib/cni/bridge")
    berth.write_network()
    wait_for(lambda: len(addresses(berth)) == 1, what="the return of the addresses")
    berth.remove_pod(berth.run_pod(name="p0"))


def test_one_that_comes_back_while_others_are_tried(berth):
    """What was tried just before is tried once more."""
    folder = use_plugins_of_its_own(berth)
    pods = [berth.run_pod() for _ in range(2)]
    (folder / "bridge").unlink()
    for pod in pods:
        berth.remove_pod(pod)
    slow = berth.dir / "slow"
    slow.write_text(f"#!/bin/sh\ntouch {berth.dir}/asked\nuntil [ -e {berth.dir}/over ]; do sleep 0.05; done\nexit 1\n")
    slow.chmod(0o755)
    (folder / "bridge").symlink_to(slow)
    berth.write_network()
    wait_for((berth.dir / "asked").exists, what="a try")
    (folder / "bridge").unlink()
    (folder / "bridge").symlink_to("/usr/lib/cni/bridge")
    berth.write_network()
    time.sleep(0.5)  # or the second try begins when the first is over, which shows nothing
    (berth.dir / "over").touch()
    wait_for(lambda: not addresses(berth), what="the return of the addresses")


def test_one_that_is_there_again_when_berthd_starts(berth):
    folder = use_plugins_of_its_own(berth)
    pod = berth.run_pod()
    (folder / "portmap").unlink()
    berth.remove_pod(pod)
    berth.kill_daemon()
    (folder / "portmap").symlink_to("/usr/lib/cni/portmap")
    berth.start_daemon()
    wait_for(lambda: not addresses(berth), what="the return of the address")
    wait_for(lambda: "is gone" in berth.log_file.read_text(), what="the end of the row")
    berth.restart()
    assert berth.log_file.read_text().count("what was left of the network") == 1
