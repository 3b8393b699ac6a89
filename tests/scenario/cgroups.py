# SPDX-License-Identifier: Apache-2.0
"""The cgroups of a scenario: the one place that knows versions, drivers, and how a kubelet makes those of pods.

BERTH_SCENARIO_DRIVER is the driver: cgroupfs, or systemd where that runs and cgroups are of version 2.
"""
import os
import pathlib
import subprocess

ROOT = pathlib.Path("/sys/fs/cgroup")
IS_V2 = (ROOT / "cgroup.controllers").exists()
DRIVER = os.environ.get("BERTH_SCENARIO_DRIVER", "cgroupfs")
IS_SYSTEMD = DRIVER == "systemd"
CONTROLLERS = {"cpu.cfs_quota_us": "cpu", "memory.limit_in_bytes": "memory", "cpuset.cpus": "cpuset"}  # of version 1


def parent(name):
    """A pod's cgroup, as the kubelet writes it: for systemd its slice, behind the slices it is in."""
    name = f"{name}-{os.getpid()}"
    if not IS_SYSTEMD:
        return f"/{name}"
    outer = name.replace("-", "_")
    return f"/{outer}.slice/{outer}-pod.slice"


def path_of(cgroup_parent, container):
    """What the OCI specification says."""
    if IS_SYSTEMD:
        return f"{pathlib.PurePath(cgroup_parent).name}:cri-containerd:{container}"
    return f"{cgroup_parent}/{container}"


def read(cgroup_parent, container, file):
    """The first word of a file of the container's cgroup; crun makes it inside the scope."""
    name = f"cri-containerd-{container}.scope" if IS_SYSTEMD else container
    folder = ROOT / ("" if IS_V2 else CONTROLLERS[file]) / cgroup_parent.strip("/") / name
    if IS_SYSTEMD and (folder / "container").exists():
        folder /= "container"
    return (folder / file).read_text(encoding="ascii").split()[0]


def systemctl(*words, check=False):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=check).stdout


def make_parent(cgroup_parent):
    """The client's work, which the OCI runtime does when there is no systemd."""
    if IS_SYSTEMD:
        systemctl("start", pathlib.PurePath(cgroup_parent).name, check=True)


def limit_memory(cgroup_parent, count):
    """What the kubelet does with the limits of a pod."""
    if IS_SYSTEMD:
        unit = pathlib.PurePath(cgroup_parent).name
        systemctl("set-property", "--runtime", unit, f"MemoryMax={count}", "MemorySwapMax=0", check=True)
        return
    folder = ROOT / ("" if IS_V2 else "memory") / cgroup_parent.strip("/")
    folder.mkdir(exist_ok=True)
    (folder / ("memory.max" if IS_V2 else "memory.limit_in_bytes")).write_text(str(count), encoding="ascii")


def is_ours(name, first, ids):
    """That of a pod or container, or the outermost one: whose name may be the beginning of another one's."""
    return name == first or any(mark in name for mark in ids)


def ours(cgroup_parent, ids):
    """The cgroups, parents first."""
    first = cgroup_parent.strip("/").split("/", maxsplit=1)[0]
    return [f"{folder}/{name}" for folder, names, _ in os.walk(ROOT) for name in names if is_ours(name, first, ids)]


def remove_parent(cgroup_parent):
    """It is empty, or what find() tells is in it."""
    first = cgroup_parent.strip("/").split("/", maxsplit=1)[0]
    if IS_SYSTEMD:
        if not list((ROOT / first).glob("**/*.scope")):
            systemctl("stop", first)
        return
    # Not by rglob(), which fails when somebody else's group goes while it looks.
    for folder in [folder for folder, names, _ in os.walk(ROOT) if first in names]:
        try:
            os.rmdir(f"{folder}/{first}")
        except OSError:
            pass


def find(cgroup_parent, ids):
    """Sentences about what is left of a pod's cgroup and of containers."""
    left = [f"cgroup {where} is left" for where in ours(cgroup_parent, ids)]
    if IS_SYSTEMD:
        marks = ids | {cgroup_parent.strip("/").split("/", maxsplit=1)[0]}
        units = systemctl("list-units", "--all", "--plain", "--no-legend").splitlines()
        left += [f"unit {unit} is left" for unit in units if any(mark in unit for mark in marks)]
    return left


def remove(cgroup_parent, ids):
    """By force; what was in them has ended."""
    first = cgroup_parent.strip("/").split("/", maxsplit=1)[0]
    if IS_SYSTEMD:
        systemctl("stop", first)
        systemctl("reset-failed")
    for where in reversed(ours(cgroup_parent, ids)):
        try:
            os.rmdir(where)
        except OSError:
            pass
