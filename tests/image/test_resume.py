#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Downloads that stop half-way, and downloads that several want."""
import json
import os
import subprocess
import time

import harness
from harness import Layout, entry, make_tar
from small_registry import SmallRegistry

HALF = 1500000
SILENT = {"idle_timeout_ms": 500}


def make_layout(folder, *layers):
    layout = Layout(folder / "layout")
    layout.add(layout.image(*(layers or [make_tar(entry("file", data=os.urandom(3000000)))])), "1")
    return layout


def layers_of(layout, number=0):
    path = layout.folder / "blobs/sha256" / layout.entries[number]["digest"][7:]
    return [layer["digest"] for layer in json.loads(path.read_text())["layers"]]


def job(folder, registry, tag="1", **more):
    return {"op": "pull", "root": str(folder / "root"), "image": f"{registry.host}/some/image:{tag}", **more}


def parts(folder):
    return list((folder / "root/content/parts").glob("*"))


def part_of(folder, digest):
    return folder / "root/content/parts" / digest.replace(":", "-")


def wait_for_part(folder, digest, size):
    end = time.monotonic() + 30
    while not part_of(folder, digest).exists() or part_of(folder, digest).stat().st_size < size:
        assert time.monotonic() < end, "nothing comes"
        time.sleep(0.01)


def finish(folder, registry, **more):
    outcome = harness.run_job(job(folder, registry, **more))
    assert outcome.code == 0, outcome.message()
    harness.assert_clean(folder / "root")
    assert parts(folder) == []
    return outcome


def interrupt(folder, registry, digest, how):
    registry.stop_after[digest] = [HALF]
    run = harness.start(job(folder, registry))
    wait_for_part(folder, digest, HALF)
    getattr(run, how)()
    run.wait(10)
    run.stdout.close()


def check_resumed(folder, how):
    layout = make_layout(folder)
    layer, = layers_of(layout)
    with SmallRegistry(layout) as registry:
        interrupt(folder, registry, layer, how)
        assert [part.stat().st_size for part in parts(folder)] == [HALF]
        finish(folder, registry)
        assert registry.starts(layer) == [0, HALF], registry.asked


def test_a_pull_that_is_called_off_is_resumed(folder):
    check_resumed(folder, "terminate")


def test_a_pull_that_is_killed_is_resumed(folder):
    check_resumed(folder, "kill")


def test_a_part_that_is_whole_is_not_fetched_again(folder):
    layout = make_layout(folder)
    layer, = layers_of(layout)
    with SmallRegistry(layout) as registry:
        interrupt(folder, registry, layer, "kill")
        parts(folder)[0].write_bytes((layout.folder / "blobs/sha256" / layer[7:]).read_bytes())
        finish(folder, registry)
        assert registry.starts(layer) == [0], registry.asked


def test_a_damaged_part_is_fetched_anew(folder):
    layout = make_layout(folder)
    layer, = layers_of(layout)
    with SmallRegistry(layout) as registry:
        for damage in (b"\0" * HALF, b"\0" * 4000000):
            registry.asked.clear()
            interrupt(folder, registry, layer, "kill")
            parts(folder)[0].write_bytes(damage)
            finish(folder, registry)
            assert registry.starts(layer)[-1] == 0, registry.asked
            for path in (folder / "root/layers").iterdir():
                path.rename(folder / f"old{len(damage)}")


def test_old_parts_go(folder):
    layout = make_layout(folder)
    layer, = layers_of(layout)
    with SmallRegistry(layout) as registry:
        interrupt(folder, registry, layer, "kill")
        old = time.time() - 25 * 3600
        os.utime(parts(folder)[0], (old, old))
        finish(folder, registry)
        assert registry.starts(layer) == [0, 0], registry.asked


def test_a_registry_that_falls_silent_is_asked_again(folder):
    layout = make_layout(folder)
    layer, = layers_of(layout)
    with SmallRegistry(layout) as registry:
        registry.stop_after[layer] = [HALF]
        finish(folder, registry, **SILENT)
        assert registry.starts(layer) == [0, HALF], registry.asked


def test_a_registry_that_stays_silent_fails_the_pull(folder):
    layout = make_layout(folder)
    layer, = layers_of(layout)
    with SmallRegistry(layout) as registry:
        registry.stop_after[layer] = [HALF] + [0] * 20
        outcome = harness.run_job(job(folder, registry, **SILENT))
        assert outcome.code == 1 and outcome.errors[0]["code"] == 14, outcome.events
        assert f"{registry.host} sent nothing for" in outcome.message(), outcome.message()
        assert [part.stat().st_size for part in parts(folder)] == [HALF], "it is kept for the next pull"


def test_a_full_disk_keeps_nothing(folder):
    layout = make_layout(folder)
    root = folder / "root"
    root.mkdir()
    for size in ("2m", "4m"):  # full by what comes, or by what is unpacked
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", root], check=True)
        try:
            with SmallRegistry(layout) as registry:
                outcome = harness.run_job(job(folder, registry))
                assert outcome.code == 1 and outcome.errors[0]["code"] == 8, outcome.events
                assert "No space left on device" in outcome.message(), outcome.message()
                harness.assert_clean(root, layers=0)
                assert parts(folder) == []
        finally:
            subprocess.run(["umount", root], check=True)


def finish_all(folder, runs):
    outputs = [[json.loads(line) for line in run.stdout] for run in runs]
    assert [run.wait() for run in runs] == [0] * len(runs), outputs
    harness.assert_clean(folder / "root")
    assert parts(folder) == []
    return outputs


def test_images_that_share_layers_share_the_work(folder):
    base = make_tar(entry("base", data=os.urandom(3000000)))
    layout = make_layout(folder, base, make_tar(entry("one")))
    layout.add(layout.image(base, make_tar(entry("two"))), "2")
    shared = layers_of(layout)[0]
    with SmallRegistry(layout) as registry:
        outputs = finish_all(folder, [harness.start(job(folder, registry, tag)) for tag in "1212"])
        assert [registry.starts(layer) for layer in layers_of(layout) + layers_of(layout, 1)] == [[0]] * 4, registry.asked
        done = [e for events in outputs for e in events if e.get("state") == "done" and e["layer"] == shared]
        assert len(done) == 1, "it is unpacked once"


def test_a_layer_has_its_name_long_before_the_pull_ends(folder):
    base, slow = make_tar(entry("base", data=os.urandom(3000000))), make_tar(entry("slow", data=os.urandom(3000000)))
    layout = make_layout(folder, base, slow)
    layout.add(layout.image(base, make_tar(entry("two"))), "2")
    shared, last = layers_of(layout)
    with SmallRegistry(layout) as registry:
        registry.stop_after[last] = [HALF]
        first = harness.start(job(folder, registry, "1", idle_timeout_ms=120000))
        wait_for_part(folder, last, HALF)
        outcome = harness.run_job(job(folder, registry, "2"))
        assert outcome.code == 0 and first.poll() is None, outcome.events
        registry.released.set()
        finish_all(folder, [first])
        assert registry.starts(shared) == [0], registry.asked


def test_what_was_unpacked_before_a_failure_stays(folder):
    layout = make_layout(folder, make_tar(entry("1")), make_tar(entry("2")))
    (layout.folder / "blobs/sha256" / layers_of(layout)[1][7:]).unlink()
    with SmallRegistry(layout) as registry:
        outcome = harness.run_job(job(folder, registry, concurrency=1))
        assert outcome.code == 1, outcome.events
        harness.assert_clean(folder / "root", layers=1)


def waiting(folder, digest):
    """How many runs wait for that part."""
    inode = f":{part_of(folder, digest).stat().st_ino} "
    return sum("OFDLCK" in line and inode in line for line in open("/proc/locks", encoding="ascii"))


def test_a_blob_on_other_layers_is_fetched_once(folder):
    again = make_tar(entry("again", data=os.urandom(3000000)))
    layout = make_layout(folder, make_tar(entry("1")), again)
    for tag in "23":
        layout.add(layout.image(make_tar(entry(tag)), again), tag)
    shared = layers_of(layout)[1]
    with SmallRegistry(layout) as registry:
        registry.stop_after[shared] = [HALF]
        runs = [harness.start(job(folder, registry, tag)) for tag in "123"]
        wait_for_part(folder, shared, HALF)
        end = time.monotonic() + 60
        while waiting(folder, shared) < 2:
            assert time.monotonic() < end, "the others do not wait"
            time.sleep(0.01)
        registry.released.set()
        finish_all(folder, runs)
        assert registry.starts(shared) == [0, HALF], registry.asked


harness.main()
