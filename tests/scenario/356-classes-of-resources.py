# SPDX-License-Identifier: Apache-2.0
"""Classes of block I/O and of RDT, which annotations name: limits in the container's cgroup, or a clear refusal."""
import pathlib
import stat
import subprocess

import grpc
import yaml

from berth import PATIENCE, program

STARTED = False
OF_POD = "blockio.resources.beta.kubernetes.io/pod"
OF_ONE = "blockio.resources.beta.kubernetes.io/container."


def write(berth, classes):
    file = berth.dir / "blockio.yaml"
    file.write_text(yaml.safe_dump({"Classes": classes}), encoding="utf-8")
    berth.config["blockio_config_file"] = str(file)


def create(berth, pod, pods, **more):
    """pods: the annotations of the pod, which count as CreateContainer has them."""
    config = {"metadata": {"name": berth.name("c")}, "image": {"image": "localhost/busybox:latest"},
              "log_path": f"{berth.names}.log", **more}
    metadata = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.metadata
    sandbox = {"metadata": metadata, "log_directory": str(berth.logs), "annotations": pods,
               "linux": {"cgroup_parent": berth.cgroup_parent}}
    container = berth.runtime.CreateContainer(pod_sandbox_id=pod, config=config, sandbox_config=sandbox).container_id
    berth.ids.add(container)
    return container


def refusal(berth, pod, pods, **more):
    try:
        create(berth, pod, pods, **more)
    except grpc.RpcError as e:
        return e.details()
    raise AssertionError("it was created")


def test_limits_of_a_class_are_in_the_cgroup(berth):
    disk, controller = pathlib.Path("/dev/loop7"), pathlib.Path("/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device")
    if not disk.exists() or not stat.S_ISBLK(disk.stat().st_mode) or not controller.exists():
        return "there is no /dev/loop7, or no blkio controller"
    write(berth, {"slow": [{"Devices": [str(disk)], "ThrottleReadBps": "5M"}], "free": None})
    berth.start_daemon()
    for runtime in ("crun", "runc"):
        pod = berth.run_pod(host_network=True, handler=runtime)
        container = create(berth, pod, {OF_POD: "slow"}, args=["cat", str(controller)])
        berth.start(container)
        assert berth.wait_exited(container).exit_code == 0
        assert berth.output(container) == "7:7 5000000\n", (runtime, berth.output(container))
        own = {"io.kubernetes.cri.blockio-class": "free"}
        container = create(berth, pod, {OF_POD: "slow"}, args=["cat", str(controller)], annotations=own)
        berth.start(container)
        assert berth.wait_exited(container).exit_code == 0
        assert berth.output(container) == "", runtime


def test_a_class_that_is_not_there_is_refused(berth):
    write(berth, {"gone": [{"Devices": ["/dev/no-such-disk*"], "Weight": 100}]})
    berth.start_daemon()
    pod = berth.run_pod(host_network=True)
    words = refusal(berth, pod, {OF_ONE + "web": "unheard-of"}, metadata={"name": "web"})
    assert 'block I/O class "unheard-of" is not in the blockio_config_file' in words, words
    words = refusal(berth, pod, {OF_POD: "gone"})
    assert "no block device of the host fits /dev/no-such-disk*" in words, words
    if not pathlib.Path("/sys/fs/resctrl/schemata").exists():
        words = refusal(berth, pod, {}, annotations={"io.kubernetes.cri.rdt-class": "gold"})
        assert 'RDT class "gold": the kernel has no resctrl' in words, words
    assert not berth.runtime.ListContainers().containers


def test_a_file_that_is_wrong_keeps_berthd_from_starting(berth):
    write(berth, {"slow": [{"Weight": 1}]})
    file = berth.dir / "config.yaml"
    file.write_text(yaml.safe_dump(berth.config), encoding="utf-8")
    done = subprocess.run([program("berthd"), "--config", str(file)], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    assert done.returncode != 0 and "class slow: 0: Weight: 1 is not from 10 to 1000" in done.stderr, done.stderr
