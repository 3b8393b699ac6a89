# SPDX-License-Identifier: Apache-2.0
"""Ten pulls of one image cost one, and a layer of any size little memory."""
import collections
import os
import pathlib
import platform
import struct
import sys
import threading

from berth import TOP, program, wait_for

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position
from small_registry import SmallRegistry  # pylint: disable=wrong-import-position

CALLS = 10
POLL = {"x86_64": ("7", "271"), "aarch64": ("73",)}[platform.machine()]  # poll() and ppoll()
MEMORY_MAX_KIB = 64 << 10
HUGE = 96 << 20


def layer(size):
    return harness.make_tar(harness.entry("data", data=os.urandom(size)))


def unpacked(data):
    return data


def digests(layout):
    return [f"sha256:{name}" for name in os.listdir(layout.folder / "blobs/sha256")]


def polled(pid, task):
    """The descriptors that a thread waits for in poll() or ppoll()."""
    try:
        number, *arguments = task.read_text(encoding="ascii").split()
        if number not in POLL:
            return []
        with open(f"/proc/{pid}/mem", "rb") as memory:
            memory.seek(int(arguments[0], 16))
            return [fd for fd, *_ in struct.iter_unpack("ihh", memory.read(8 * int(arguments[1], 16))) if fd >= 0]
    except (OSError, struct.error):
        return []  # it goes on meanwhile


def waiting_together(berth):
    """The most threads of berthd that wait for one and the same thing."""
    pid = berth.daemon.pid
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/syscall")
    counts = collections.Counter(fd for task in tasks for fd in polled(pid, task))
    return max(counts.values(), default=0)


def note_runs(berth):
    """Where each start of berth-image leaves a line from now on. A registry may be silent for as long as it likes."""
    notes, helper = berth.dir / "runs", berth.dir / "noted-helper"
    helper.write_text(f"#!/bin/sh\necho run >> {notes}\nexec {program('berth-image')}\n")
    helper.chmod(0o755)
    berth.config["image"] = {"helper": str(helper), "pull_progress_timeout": 600}
    berth.restart()
    return notes


def pull_in_threads(berth, registry, calls):
    answers = []
    image = {"image": f"{registry.host}/x:1"}
    threads = [threading.Thread(target=lambda: answers.append(berth.images.PullImage(image=image).image_ref), daemon=True)
               for _ in range(calls)]
    for thread in threads:
        thread.start()
    return threads, answers


def test_ten_pulls_of_one_image_are_one(berth):
    layout = harness.Layout(berth.dir / "layout")
    layers = [layer(400_000) for _ in range(3)]
    layout.add(layout.image(*layers, compress=unpacked), "1")
    blobs = {harness.sha256(data) for data in layers}
    notes = note_runs(berth)
    with SmallRegistry(layout) as registry:
        registry.stop_after[harness.sha256(layers[1])] = [300_000]
        threads, answers = pull_in_threads(berth, registry, CALLS)
        wait_for(lambda: waiting_together(berth) >= CALLS - 1, 60, "all but the first wait for what that does")
        registry.released.set()
        for thread in threads:
            thread.join(60)
        assert len(answers) == CALLS and len(set(answers)) == 1, answers
        assert notes.read_text() == "run\n"
        assert sorted(d for d, first in registry.asked if first == 0) == sorted(
            d for d in digests(layout) if d in blobs or d == answers[0]), registry.asked


def children(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    direct = [int(child) for task in tasks for child in task.read_text().split()]
    return direct + [pid for child in direct for pid in children(child)]


def peak_kib(pid):
    """The most memory that process ever had."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


def size_of_files(berth):
    return sum(f.stat().st_size for f in (berth.dir / "root/layers").glob(".new-*/fs/data"))


def test_a_huge_layer_needs_little_memory(berth):
    note_runs(berth)
    layout = harness.Layout(berth.dir / "layout")
    huge = layer(HUGE)
    layout.add(layout.image(huge, compress=unpacked), "1")
    with SmallRegistry(layout) as registry:
        registry.stop_after[harness.sha256(huge)] = [len(huge) - 100_000]
        (thread,), answers = pull_in_threads(berth, registry, 1)
        wait_for(lambda: size_of_files(berth) >= HUGE - (1 << 20), 120, "nearly all of the layer")
        peaks = {pid: peak_kib(pid) for pid in children(berth.daemon.pid)}
        assert len(peaks) == 2 and sum(peaks.values()) < MEMORY_MAX_KIB, peaks
        registry.released.set()
        thread.join(60)
        assert len(answers) == 1
