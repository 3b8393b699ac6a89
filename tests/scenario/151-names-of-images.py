# SPDX-License-Identifier: Apache-2.0
"""One image under many names, a name that moves, beginnings of ids: what clients compare and remove by."""
import os
import sys

import grpc

from berth import IMAGE, TOP

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position
from small_registry import SmallRegistry  # pylint: disable=wrong-import-position

C = grpc.StatusCode


def make_layout(berth):
    """Tags a and b are one image, c is its manifest with other words in it, d is another image."""
    layout = harness.Layout(berth.dir / "layout")
    tar, other = (harness.make_tar(harness.entry("file", data=os.urandom(1000))) for _ in range(2))
    one = layout.image(tar, config={"config": {"User": "1001:7"}})
    layout.add(one, "a")
    layout.add(one, "b")
    manifest = layout.folder / "blobs/sha256" / one["digest"][7:]
    layout.add(layout.blob(manifest.read_bytes() + b"\n" * 100, harness.MANIFEST), "c")
    layout.add(layout.image(other, config={"config": {"User": "www-data"}}), "d")
    return layout


def status(berth, name):
    answer = berth.images.ImageStatus(image={"image": name})
    return answer.image if answer.HasField("image") else None


def pull(berth, name):
    return berth.images.PullImage(image={"image": name}).image_ref


def listed(berth, name):
    return [i.id for i in berth.images.ListImages(filter={"image": {"image": name}}).images]


def test_one_image_has_many_names_and_goes_by_any(berth):
    with SmallRegistry(make_layout(berth)) as registry:
        names = [f"{registry.host}/x:a", f"{registry.host}/x:b", f"{registry.host}/deep/er/y:a"]
        for gone in (*names, "digest", "id", "beginning"):
            ids = {pull(berth, name) for name in names}
            image = status(berth, names[0])
            assert ids == {image.id} and sorted(image.repo_tags) == sorted(names), image
            digest, = {name.partition("@")[2] for name in image.repo_digests}
            assert sorted(image.repo_digests) == [f"{registry.host}/deep/er/y@{digest}", f"{registry.host}/x@{digest}"]
            assert image.uid.value == 1001 and not image.username and image.size > 1000
            by = {"digest": f"{registry.host}/x@{digest}", "id": image.id, "beginning": image.id[7:20]}.get(gone, gone)
            assert listed(berth, by) == [image.id] and status(berth, f"{registry.host}/x:a@{digest}").id == image.id
            berth.images.RemoveImage(image={"image": by})
            assert not any(status(berth, name) for name in (*names, image.id)), by
        assert pull(berth, f"{registry.host}/x@{digest}") == image.id
        assert not status(berth, image.id).repo_tags, "nobody asked for a tag"


def test_a_name_moves_and_the_image_stays(berth):
    layout = make_layout(berth)
    with SmallRegistry(layout) as registry:
        name = f"{registry.host}/x:a"
        old = pull(berth, name)
        registry.tags["a"] = registry.tags["d"]
        new = pull(berth, name)
        assert new != old and status(berth, name).id == new and status(berth, name).username == "www-data"
        left = status(berth, old)
        assert not left.repo_tags and len(left.repo_digests) == 1, left
        berth.restart()
        assert status(berth, name).id == new and not status(berth, old).repo_tags
        berth.images.RemoveImage(image={"image": name})
        assert status(berth, old) and not status(berth, new)


def test_the_manifest_that_came_last_counts(berth):
    """Two manifests of one image: what is told of it is the same before and after a restart."""
    with SmallRegistry(make_layout(berth)) as registry:
        assert pull(berth, f"{registry.host}/x:a") == pull(berth, f"{registry.host}/x:c")
        image = status(berth, f"{registry.host}/x:a")
        assert sorted(image.repo_tags) == [f"{registry.host}/x:{tag}" for tag in "ac"] and len(image.repo_digests) == 2
        berth.restart()
        assert status(berth, image.id).size == image.size == status(berth, f"{registry.host}/x:c").size
        assert len(list((berth.dir / "root/content/blobs/sha256").iterdir())) == 2 + len(listed(berth, IMAGE)) * 2


def test_a_beginning_of_several_ids_is_none(berth):
    with SmallRegistry(make_layout(berth)) as registry:
        ids = [pull(berth, f"{registry.host}/x:{tag}") for tag in "ad"]
        for call in (berth.images.ImageStatus, berth.images.RemoveImage):
            try:
                call(image={"image": "sha256:"})
            except grpc.RpcError as e:
                assert e.code() in (C.UNKNOWN, C.INVALID_ARGUMENT), e
        assert all(status(berth, id) for id in ids)
        assert sorted(i.id for batch in berth.images.StreamImages() for i in batch.images) == sorted(
            [*ids, status(berth, IMAGE).id])
        assert [i.id for batch in berth.images.StreamImages(filter={"image": {"image": ids[0]}}) for i in batch.images] == [ids[0]]
        assert not list(berth.images.StreamImages(filter={"image": {"image": "no/such"}}))
