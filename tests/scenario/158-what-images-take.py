# SPDX-License-Identifier: Apache-2.0
"""What images and containers take on disk: all of it is told, and all of it goes."""
import time

from berth import IMAGE, wait_for


def used(berth):
    info = berth.images.ImageFsInfo()
    assert list(info.image_filesystems) == list(info.container_filesystems), info
    one, = info.image_filesystems
    assert one.fs_id.mountpoint == berth.config["root"] and one.timestamp <= time.time_ns(), one
    return one


def blobs(berth):
    return [f for f in (berth.dir / "root/content/blobs").rglob("*") if f.is_file()]


def test_what_containers_write_counts(berth):
    before = used(berth)
    pod = berth.run_pod(host_network=True)
    container = berth.sh(pod, "dd if=/dev/zero of=/written bs=1M count=3 2>/dev/null; touch /done; sleep 100")
    wait_for(lambda: berth.exec_sync(container, "ls", "/done")[0] == 0, what="the container's file")
    after = used(berth)
    assert after.used_bytes.value >= before.used_bytes.value + (3 << 20), (before, after)
    assert after.inodes_used.value >= before.inodes_used.value + 2, (before, after)
    layer = berth.runtime.ContainerStats(container_id=container).stats.writable_layer
    assert layer.fs_id == after.fs_id and layer.timestamp >= after.timestamp, (layer, after)
    berth.remove_pod(pod)
    assert used(berth).used_bytes.value < after.used_bytes.value


def test_the_manifests_of_a_removed_image_go_too(berth):
    assert len(blobs(berth)) >= 2
    (berth.dir / "root/content/blobs/sha256" / ("0" * 64)).write_bytes(b"of an image that was never recorded")
    berth.restart()
    wait_for(lambda: not [f for f in blobs(berth) if f.name == "0" * 64], what="the removal of what nobody needs")
    assert len(blobs(berth)) >= 2
    before = used(berth)
    berth.images.RemoveImage(image={"image": IMAGE})
    assert not blobs(berth)
    after = used(berth)
    assert after.used_bytes.value < 100_000 < before.used_bytes.value, after
