# SPDX-License-Identifier: Apache-2.0
"""A disk that takes nothing holds up the logs on it, and nothing else of the pod."""
import contextlib
import os
import pathlib
import signal
import subprocess
import time

import grpc

import leaks
from berth import SOON, wait_for

TALK = "i=0; while :; do echo line $i; i=$((i+1)); done"
TICK = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02; done"


class Disk:
    """A file system of its own, which can be frozen: then who writes to it waits in the kernel."""

    def __init__(self, folder):
        self.folder, image = folder, folder.with_name("disk.img")
        folder.mkdir()
        with open(image, "wb") as f:
            f.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True)

    def freeze(self):
        subprocess.run(["fsfreeze", "-f", self.folder], check=True)

    def thaw(self):
        subprocess.run(["fsfreeze", "-u", self.folder], check=False, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def disk_for_logs(berth):
    """All logs are on it, but those below elsewhere/ in a pod's folder."""
    disk = Disk(berth.dir / "disk")
    berth.logs = disk.folder
    (berth.dir / "elsewhere").mkdir()
    (disk.folder / "pod").mkdir()
    (disk.folder / "pod" / "elsewhere").symlink_to(berth.dir / "elsewhere")
    try:
        yield disk
        disk.thaw()
        berth.remove_pods()
    finally:
        disk.thaw()
        subprocess.run(["umount", "-l", disk.folder], check=True)


def numbers(berth, container):
    texts = [text for _, _, text in berth.log(container)]
    assert texts == [f"line {i}" for i in range(len(texts))], "a line is lost, damaged, or there twice"
    return len(texts)


def test_all_but_the_logs_on_it_goes_on_and_no_line_is_lost(berth):
    with disk_for_logs(berth) as disk:
        pod = berth.run_pod("pod", host_network=True)
        talker = berth.sh(pod, TALK)
        ticker = berth.sh(pod, TICK, name="ticker", log_path="elsewhere/ticker.log")
        wait_for(lambda: numbers(berth, ticker) > 3)
        disk.freeze()
        time.sleep(0.5)
        before, start = numbers(berth, ticker), time.monotonic()
        for _ in range(5):
            assert berth.exec_sync(talker, "echo", "hi") == (0, "hi\n", "")
        wait_for(lambda: numbers(berth, ticker) > before + 20)
        assert time.monotonic() - start < SOON
        disk.thaw()
        size = pathlib.Path(berth.status(talker).log_path).stat().st_size
        wait_for(lambda: pathlib.Path(berth.status(talker).log_path).stat().st_size > size)
        berth.stop(talker)
        assert numbers(berth, talker) > 100


def test_what_it_holds_up_can_be_stopped(berth):
    with disk_for_logs(berth) as disk:
        pod = berth.run_pod("pod", host_network=True)
        talker = berth.sh(pod, TALK)
        disk.freeze()
        time.sleep(0.5)
        berth.stop(talker)
        assert berth.status(talker).exit_code == 137
        disk.thaw()
        wait_for(lambda: pathlib.Path(berth.status(talker).log_path).read_bytes()[-1:] == b"\n")
        numbers(berth, talker)


def test_its_pod_can_be_removed(berth):
    with disk_for_logs(berth) as disk:
        pod = berth.run_pod("pod", host_network=True)
        berth.sh(pod, TALK)
        disk.freeze()
        time.sleep(0.5)
        start = time.monotonic()
        berth.remove_pod(pod)
        assert time.monotonic() - start < 2 * SOON
        assert not berth.runtime.ListPodSandbox().items


def kill_for_good(shim):
    """A killed one stays, as one of its threads does, which the disk does not let go."""
    def states():
        found = {path.name: leaks.read(path / "stat") for path in pathlib.Path(f"/proc/{shim}/task").iterdir()}
        return {name: stat.rsplit(")", 1)[1].split()[0] for name, stat in found.items() if stat}

    wait_for(lambda: "D" in states().values(), what="a thread that waits for the disk")
    os.kill(shim, signal.SIGKILL)
    wait_for(lambda: states()[str(shim)] == "Z", what="the end of its first thread")
    assert "D" in states().values()


def ends_without_its_shim(berth, restart):
    with disk_for_logs(berth) as disk:
        pod = berth.run_pod("pod", host_network=True)
        talker = berth.sh(pod, TALK)
        disk.freeze()
        kill_for_good(berth.shim_pid(pod))
        if restart:
            berth.restart()
            assert berth.wait_exited(talker).exit_code == 137
        start = time.monotonic()
        berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
        assert berth.status(talker).exit_code == 137
        berth.runtime.RemovePodSandbox(pod_sandbox_id=pod)
        assert time.monotonic() - start < 2 * SOON
        assert not [words for words in leaks.processes(str(berth.dir)).values() if TALK in words]


def test_its_pod_can_be_removed_when_its_shim_was_killed(berth):
    ends_without_its_shim(berth, restart=False)


def test_a_new_berthd_ends_a_pod_whose_shim_was_killed(berth):
    ends_without_its_shim(berth, restart=True)


def test_what_it_has_no_log_for_is_told(berth):
    with disk_for_logs(berth) as disk:
        pod = berth.run_pod("pod", host_network=True)
        ticker = berth.sh(pod, TICK, name="ticker", log_path="elsewhere/ticker.log")
        waiting, late = berth.create(pod, "true"), berth.create(pod, "true")
        disk.freeze()
        try:
            berth.start(waiting)
            raise AssertionError("it started")
        except grpc.RpcError as e:
            assert "the disk does not answer" in e.details(), e
        assert berth.exec_sync(ticker, "echo", "hi") == (0, "hi\n", "")
        disk.thaw()
        berth.wait_exited(berth.start(late))
