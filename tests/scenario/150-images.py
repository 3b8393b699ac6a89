# SPDX-License-Identifier: Apache-2.0
"""Images by all their names; in use; removed; pulled from where nobody answers."""
import subprocess

import grpc

from berth import IMAGE, program, wait_for


def refused(call):
    try:
        call()
    except grpc.RpcError as e:
        return e.code(), e.details()
    raise AssertionError("it was accepted")


def status(berth, name):
    answer = berth.images.ImageStatus(image={"image": name})
    return answer.image if answer.HasField("image") else None


def test_an_image_is_found_by_every_name(berth):
    image = status(berth, IMAGE)
    assert image.id.startswith("sha256:") and image.size > 0 and IMAGE in image.repo_tags
    for name in (image.id, image.id[7:], image.id[7:19], "localhost/busybox"):
        assert status(berth, name).id == image.id, name
    assert [i.id for i in berth.images.ListImages().images] == [image.id]
    assert not berth.images.ListImages(filter={"image": {"image": "other"}}).images
    assert [i.id for batch in berth.images.StreamImages() for i in batch.images] == [image.id]
    usage = berth.images.ImageFsInfo().image_filesystems[0]
    assert usage.used_bytes.value > 500_000 and usage.inodes_used.value > 10, usage


def test_a_removed_image_stays_on_disk_while_a_container_needs_it(berth):
    image = status(berth, IMAGE)
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "100")
    berth.images.RemoveImage(image={"image": image.id})
    berth.images.RemoveImage(image={"image": image.id})
    assert status(berth, IMAGE) is None
    assert berth.exec_sync(container, "echo", "still here")[1] == "still here\n"
    assert berth.status(container).image_id == image.id
    layers = berth.dir / "root" / "layers"
    folders = lambda: [f for f in layers.iterdir() if f.is_dir() and not f.name.startswith(".")]
    assert len(folders()) == 1
    berth.restart()
    assert len(folders()) == 1
    berth.remove_pod(pod)
    wait_for(lambda: not folders(), what="the removal of the layer")


def test_a_registry_that_is_down_is_named(berth):
    code, words = refused(lambda: berth.images.PullImage(image={"image": "127.0.0.1:1/some/image:1"}))
    assert code == grpc.StatusCode.UNKNOWN and words.startswith("RegistryUnavailable: ") and "127.0.0.1:1" in words, words
    code, words = refused(lambda: berth.images.PullImage(image={"image": "Not A Name"}))
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "Not A Name" in words, (code, words)


def test_the_kubelet_is_asked_to_keep_what_is_pinned(berth):
    assert not status(berth, IMAGE).pinned
    berth.config.setdefault("image", {})["pinned"] = [IMAGE]
    berth.restart()
    assert status(berth, IMAGE).pinned
    assert [i.pinned for i in berth.images.ListImages().images] == [True]


def test_it_is_explained_who_would_be_asked(berth):
    done = berth.ctl("explain", "127.0.0.1:1/some/image:1")
    assert done.returncode == 1 and "no host has it" in done.stderr, done
    assert "127.0.0.1:1/some/image:1, with no configuration" in done.stdout, done
    assert "1. https://127.0.0.1:1/v2, without credentials\n" in done.stdout and "Connection refused" in done.stdout
    done = berth.ctl("explain", "Not A Name")
    assert done.returncode == 1 and "Not A Name" in done.stderr and not done.stdout, done


def test_an_image_is_exported_and_brought_back(berth):
    archive = berth.dir / "busybox.tar"
    done = berth.ctl("image", "export", IMAGE, archive)
    assert done.returncode == 0, done.stderr
    id = done.stdout.strip()
    assert "File exists" in berth.ctl("image", "export", IMAGE, archive).stderr
    assert berth.ctl("image", "export", "no/such:1", berth.dir / "none").returncode == 1
    assert not (berth.dir / "none").exists()
    piped = subprocess.run([program("berthctl"), "--socket", berth.config["socket"], "image", "export", IMAGE, "-"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, timeout=60)
    assert piped.stdout == archive.read_bytes()
    berth.images.RemoveImage(image={"image": IMAGE})
    assert berth.ctl("image", "import", archive).stdout == IMAGE + "\n"
    assert status(berth, IMAGE).id == id
    pod = berth.run_pod(host_network=True)
    assert berth.exec_sync(berth.run(pod, "sleep", "100"), "echo", "hello")[1] == "hello\n"
