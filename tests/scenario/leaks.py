# SPDX-License-Identifier: Apache-2.0
"""What a stopped berthd must not leave behind, and how to remove it if it did."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import cgroups

PATIENCE = 30  # seconds, for the end of who was told to end

# Where pods and containers have files, below the scenario's folder; CNI's address store keeps two of its own.
FOLDERS = ("run/pods", "run/exits", "root/containers", "cni-cache/results", "addresses/scenario")
KEPT = {"last_reserved_ip.0", "lock"}


def read(path):
    try:
        return pathlib.Path(path).read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def command_of(pid, folder):
    """If it was started with a path below folder, or has its root file system there."""
    command = read(f"/proc/{pid}/cmdline")
    root = next((line for line in read(f"/proc/{pid}/mountinfo").splitlines() if line.split()[4] == "/"), "")
    if folder in command or folder in root:
        return command.strip() or read(f"/proc/{pid}/comm").strip()
    return None


def processes(folder):
    """Those with something of folder: {pid: command}."""
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]
    return {pid: command for pid in pids if (command := command_of(pid, folder)) is not None}


def kill(pid, folder):
    """False when it has ended, whoever has its pid now."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if command_of(pid, folder) is None:
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(process)


def mounts(folder):
    return [line.split()[4] for line in read("/proc/self/mountinfo").splitlines() if folder in line.split()[4]]


def links():
    out = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout
    return [link["ifname"] for link in json.loads(out)]


def files(berth):
    return [str(pathlib.Path(folder, name)) for folder in FOLDERS if (berth.dir / folder).is_dir()
            for name in sorted(os.listdir(berth.dir / folder)) if name not in KEPT]


def remove_ours(berth):
    """The pods' parent cgroup is the client's, and so ours to remove; the same goes for the bridge."""
    cgroups.remove_parent(berth.cgroup_parent)
    for link in set(links()) & {"berth0"}:
        subprocess.run(["ip", "link", "del", link], check=False)


def find(berth):
    folder = str(berth.dir)
    remove_ours(berth)
    end = time.monotonic() + PATIENCE
    while processes(folder) and time.monotonic() < end:
        time.sleep(0.02)
    left = [f"process {pid} is left: {command}" for pid, command in processes(folder).items()]
    left += [f"mount {where} is left" for where in mounts(folder)]
    left += [f"link {name} is left" for name in links() if name != "lo"]
    left += cgroups.find(berth.cgroup_parent, berth.ids)
    return left + [f"file {name} is left" for name in files(berth)]


def remove(berth):
    """By force, so that the next scenario starts clean."""
    folder = str(berth.dir)
    for pid in processes(folder):
        kill(pid, folder)
    for where in reversed(mounts(folder)):
        subprocess.run(["umount", "-l", where], check=False)
    for name in links():
        if name != "lo":
            subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL, check=False)
    cgroups.remove(berth.cgroup_parent, berth.ids)
    shutil.rmtree(folder, ignore_errors=True)
