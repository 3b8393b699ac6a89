# SPDX-License-Identifier: Apache-2.0
"""Layers stay while anything needs them, a running pull too, and not longer."""
import gzip
import os
import sys
import threading

import grpc

from berth import IMAGE, PATIENCE, TOP, wait_for

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position
from small_registry import SmallRegistry  # pylint: disable=wrong-import-position

BASE, OTHER, OWN = (harness.make_tar(harness.entry(name, data=os.urandom(400_000))) for name in ("base", "other", "own"))


def make_layout(berth):
    """Image 1 is BASE, 2 has it below OWN, 3 is something else."""
    layout = harness.Layout(berth.dir / "layout")
    for tag, layers in (("1", [BASE]), ("2", [BASE, OWN]), ("3", [OTHER])):
        layout.add(layout.image(*layers), tag)
    return layout


def blob(layout, tar):
    """What a registry calls that layer."""
    for name in os.listdir(layout.folder / "blobs/sha256"):
        data = (layout.folder / "blobs/sha256" / name).read_bytes()
        if data[:2] == b"\x1f\x8b" and gzip.decompress(data) == tar:
            return "sha256:" + name
    raise LookupError("there is no such layer")


def folders(berth):
    return {f.name for f in (berth.dir / "root/layers").iterdir() if len(f.name) == 64}


def forget_busybox(berth):
    berth.images.RemoveImage(image={"image": IMAGE})
    assert not folders(berth)


def pull(berth, registry, tag):
    return berth.images.PullImage(image={"image": f"{registry.host}/x:{tag}"}).image_ref


def remove(berth, registry, tag):
    berth.images.RemoveImage(image={"image": f"{registry.host}/x:{tag}"})


def in_background(call):
    """A thread, and what came of it: a result or an error."""
    outcome = []

    def run():
        try:
            outcome.append(call())
        except grpc.RpcError as e:
            outcome.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def test_a_running_pull_keeps_its_layers_and_no_others(berth):
    forget_busybox(berth)
    layout = make_layout(berth)
    base, other = harness.sha256(BASE)[7:], harness.sha256(OTHER)[7:]
    with SmallRegistry(layout) as registry:
        pull(berth, registry, "1")
        pull(berth, registry, "3")
        assert folders(berth) == {base, other}
        registry.stop_after[blob(layout, OWN)] = [100_000]
        thread, outcome = in_background(lambda: pull(berth, registry, "2"))
        wait_for(lambda: registry.starts(blob(layout, OWN)), what="the request for the layer")
        remove(berth, registry, "3")
        assert folders(berth) == {base}, "its space is free, though a pull runs"
        remove(berth, registry, "1")
        assert folders(berth) == {base}, "the pull needs it"
        registry.released.set()
        thread.join(PATIENCE)
        assert berth.images.ImageStatus(image={"image": outcome[0]}).image.id == outcome[0]
        assert len(folders(berth)) == 2 and registry.starts(blob(layout, BASE)) == [0], registry.asked
        remove(berth, registry, "2")
        assert not folders(berth)


def fail_to_pull(berth, registry, layout):
    """Image 2, whose upper layer is lost on the way when the lower one is there."""
    path = layout.folder / "blobs/sha256" / blob(layout, OWN)[7:]
    data = path.read_bytes()
    registry.stop_after[blob(layout, OWN)] = [100_000]
    thread, outcome = in_background(lambda: pull(berth, registry, "2"))
    wait_for(lambda: folders(berth) == {harness.sha256(BASE)[7:]}, 30, "the lower layer")
    path.unlink()
    registry.released.set()
    thread.join(PATIENCE)
    assert outcome[0].code() == grpc.StatusCode.NOT_FOUND, outcome
    registry.released.clear()
    path.write_bytes(data)


def test_what_a_failed_pull_has_is_good_for_the_next(berth):
    forget_busybox(berth)
    layout = make_layout(berth)
    with SmallRegistry(layout) as registry:
        fail_to_pull(berth, registry, layout)
        pull(berth, registry, "2")
        assert registry.starts(blob(layout, BASE)) == [0], registry.asked
        remove(berth, registry, "2")
        assert not folders(berth)
        fail_to_pull(berth, registry, layout)
        remove(berth, registry, "2")
        assert not folders(berth), "who removes images wants the space"


def test_a_container_tells_its_image_by_all_its_names(berth):
    """The list knows it by its id and the status by its digest, also when it was removed meanwhile."""
    layout = make_layout(berth)
    with SmallRegistry(layout) as registry:
        image_id = pull(berth, registry, "1")
        name = f"{registry.host}/x:1"
        image = berth.images.ImageStatus(image={"image": name}).image
        container = berth.create(berth.run_pod(host_network=True), "x", image={"image": name})
        remove(berth, registry, "1")
        status = berth.status(container)
        item, = berth.runtime.ListContainers().containers
    assert status.image_id == item.image_id == item.image_ref == image.id == image_id
    assert status.image_ref == image.repo_digests[0] and f"{registry.host}/x@sha256:" in status.image_ref, status
    assert status.image.image == item.image.image == name
