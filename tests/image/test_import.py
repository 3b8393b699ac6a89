#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Imports of OCI layouts and docker archives, made by hand and by other tools."""
import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tarfile

import harness
from harness import CONFIG, INDEX, LAYER, MANIFEST, Layout, entry, import_path, make_tar

GET_FLAGS, SET_FLAGS, TOP_OF_TREES = 0x80086601, 0x40086602, 0x20000  # of linux/fs.h
LAYERS = (make_tar(entry("a", data=b"a" * 100000)), make_tar(entry("b", "5"), entry("b/c", data=b"c")))


def sample(folder, name="docker.io/library/sample:1"):
    layout = Layout(folder / "layout")
    layout.add(layout.image(*LAYERS), name)
    return layout


def check_sample(folder, outcome, names):
    assert outcome.code == 0, outcome.message()
    image, = outcome.images
    assert image["names"] == names, image["names"]
    tops = [folder / "root/layers" / layer["chain_id"][7:] / "fs" for layer in image["layers"]]
    assert (tops[0] / "a").read_bytes() == b"a" * 100000 and (tops[1] / "b/c").read_bytes() == b"c"
    for digest in (image["id"], image["manifest"], image["target"]["digest"]):
        data = (folder / "root/content/blobs/sha256" / digest[7:]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest[7:]
    harness.assert_clean(folder / "root", layers=2)
    return image


def test_a_layout_in_a_folder(folder):
    outcome = import_path(folder / "root", sample(folder).folder)
    image = check_sample(folder, outcome, ["docker.io/library/sample:1"])
    assert image["target"]["media_type"] == MANIFEST


def test_a_layout_in_archives(folder):
    layout = sample(folder)
    for i, options in enumerate((["-cf"], ["-czf"], ["--zstd", "-cf"], ["--format=v7", "-cf"])):
        path = folder / f"archive{i}"
        subprocess.run(["tar", *options, path, "-C", layout.folder, "."], check=True)
        shutil.rmtree(folder / "root", ignore_errors=True)
        check_sample(folder, import_path(folder / "root", path), ["docker.io/library/sample:1"])


def test_names_of_a_layout(folder):
    for name, wanted, expected in (
            ("docker.io/library/x:1", "", ["docker.io/library/x:1"]),
            ("example.com/x", "", ["example.com/x:latest"]),
            ("v1", "", []),
            ("v1", "quay.io/y:2", ["quay.io/y:2"]),
            (None, "", []),
            (None, "z", ["docker.io/library/z:latest"])):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        check_sample(folder, import_path(folder / "root", sample(folder, name).folder, wanted), expected)


def test_the_name_containerd_gives(folder):
    layout = Layout(folder / "layout")
    layout.add({**layout.image(*LAYERS), "annotations": {
        "io.containerd.image.name": "docker.io/library/real:7", "org.opencontainers.image.ref.name": "7"}})
    check_sample(folder, import_path(folder / "root", layout.folder), ["docker.io/library/real:7"])


def test_several_images(folder):
    layout = Layout(folder / "layout")
    layout.add(layout.image(LAYERS[0]), "one:1")
    layout.add(layout.image(LAYERS[1]), "two:2")
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 0, outcome.message()
    assert [image["names"] for image in outcome.images] == [["docker.io/library/one:1"], ["docker.io/library/two:2"]]
    outcome = import_path(folder / "root", layout.folder, "three:3")
    assert outcome.code == 1 and "2 images" in outcome.message(), outcome.events


def test_images_for_other_platforms_are_passed_over(folder):
    layout = Layout(folder / "layout")
    for arch in ("arm64", "amd64", "riscv64"):
        config = {"architecture": arch, "os": "linux"}
        layout.add(layout.image(make_tar(entry(arch, data=b"x")), config=config, platform=config), "x:1")
    layout.add(layout.json_blob({"nothing": 1}, MANIFEST, platform={"architecture": "unknown", "os": "unknown"}))
    outcome = import_path(folder / "root", layout.folder, platform={"os": "linux", "architecture": "arm64"})
    assert outcome.code == 0, outcome.message()
    assert [image["config"]["architecture"] for image in outcome.images] == ["arm64"]
    outcome = import_path(folder / "root", layout.folder, platform={"os": "linux", "architecture": "s390x"})
    assert outcome.code == 1 and outcome.errors[0]["code"] == 5, outcome.events


def test_an_index_whose_other_platforms_are_missing(folder):
    layout = Layout(folder / "layout")
    here = layout.image(*LAYERS, platform={"architecture": "amd64", "os": "linux"})
    gone = {**here, "digest": "sha256:" + "0" * 64, "platform": {"architecture": "arm64", "os": "linux"}}
    layout.add(layout.json_blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": [gone, here]}, INDEX), "x:1")
    image = check_sample(folder, import_path(folder / "root", layout.folder), ["docker.io/library/x:1"])
    assert image["manifest"] == here["digest"] != image["target"]["digest"]


def test_an_index_without_platforms_asks_the_configuration(folder):
    layout = Layout(folder / "layout")
    image = layout.image(*LAYERS)
    layout.add(layout.json_blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": [image]}, INDEX))
    check_sample(folder, import_path(folder / "root", layout.folder), [])
    outcome = import_path(folder / "root", layout.folder, platform={"os": "linux", "architecture": "s390x"})
    assert outcome.code == 1 and "linux/s390x" in outcome.message(), outcome.events


def test_an_image_without_layers(folder):
    layout = Layout(folder / "layout")
    layout.add(layout.image(), "none:1")
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 0, outcome.message()
    assert outcome.images[0]["layers"] == []


def test_equal_layers_have_chain_ids_of_their_own(folder):
    layout = Layout(folder / "layout")
    layout.add(layout.image(LAYERS[0], LAYERS[0], LAYERS[0]))
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 0, outcome.message()
    harness.assert_clean(folder / "root", layers=3)


def test_many_layers(folder):
    layout = Layout(folder / "layout")
    layout.add(layout.image(*(make_tar(entry(f"f{i}", data=b"x")) for i in range(128))))
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 0, outcome.message()
    harness.assert_clean(folder / "root", layers=128)


def test_more_layers_than_overlayfs_takes_are_refused_before_they_are_fetched(folder):
    layout = Layout(folder / "layout")
    layout.add(layout.image(*[make_tar()] * 501), "x:1")
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 1 and "layers: 501 entries, 500 are the limit" in outcome.message(), outcome.message()
    assert outcome.errors[0]["code"] == 8 and not [e for e in outcome.events if e["event"] == "progress"], outcome.events


def test_what_the_media_type_says_of_compression_does_not_count(folder):
    for form in (lambda data: data, gzip.compress,
                 lambda data: subprocess.run(["zstd", "-c"], input=data, check=True, stdout=subprocess.PIPE).stdout,
                 lambda data: b"".join(gzip.compress(data[i:i + 7777]) for i in range(0, len(data), 7777))):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        layout = Layout(folder / "layout")
        layout.add(layout.image(*LAYERS, compress=form))
        check_sample(folder, import_path(folder / "root", layout.folder), [])


def refused(folder, change):
    """Imports a layout that change(layout) has made, which must fail; returns code and words."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    layout = Layout(folder / "layout")
    change(layout)
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 1 and not outcome.images, outcome.events
    harness.assert_clean(folder / "root", layers=0)
    return outcome.errors[0]["code"], outcome.message()


def test_what_is_no_image_is_refused(folder):
    def chart(layout):
        config = layout.blob(b"{}", "application/vnd.cncf.helm.config.v1+json")
        layout.add(layout.json_blob({"schemaVersion": 2, "config": config, "layers": []}, MANIFEST))

    def encrypted(layout):
        config = layout.json_blob({"rootfs": {"diff_ids": ["sha256:" + "0" * 64]}}, CONFIG)
        layers = [layout.blob(b"x", LAYER + "+gzip+encrypted")]
        layout.add(layout.json_blob({"schemaVersion": 2, "config": config, "layers": layers}, MANIFEST))

    assert "not an image of a container, but an artifact" in refused(folder, chart)[1]
    assert "encrypted" in refused(folder, encrypted)[1]


def test_lies_are_refused(folder):
    def wrong_diff_id(layout):
        layout.add(layout.image(LAYERS[0], diff_ids=["sha256:" + "1" * 64]))

    def one_diff_id_less(layout):
        layout.add(layout.image(*LAYERS, diff_ids=[harness.sha256(LAYERS[0])]))

    def wrong_blob(layout):
        descriptor = layout.add(layout.image(LAYERS[0]))
        (layout.folder / "blobs/sha256" / descriptor["digest"][7:]).write_bytes(b'{"schemaVersion":2}')

    def no_layer(layout):
        layout.add(layout.image(LAYERS[0]))
        blob = max(layout.folder.glob("blobs/sha256/*"), key=lambda path: path.read_bytes()[:2] == b"\x1f\x8b")
        blob.unlink()

    def cut_off(layout):
        layout.add(layout.image(LAYERS[0]))
        blob = max(layout.folder.glob("blobs/sha256/*"), key=lambda path: path.read_bytes()[:2] == b"\x1f\x8b")
        blob.write_bytes(blob.read_bytes()[:-20])

    code, words = refused(folder, wrong_diff_id)
    assert code == 9 and "wrong diff id" in words, words
    assert "the manifest has 2 layers, the configuration 1" in refused(folder, one_diff_id_less)[1]
    assert refused(folder, wrong_blob)[0] == 9
    assert refused(folder, no_layer)[0] == 5
    assert "cut off" in refused(folder, cut_off)[1]


def test_an_earlier_layer_that_fails_keeps_later_ones_from_the_disk(folder):
    layout = Layout(folder / "layout")
    layout.add(layout.image(*LAYERS, diff_ids=["sha256:" + "1" * 64, harness.sha256(LAYERS[1])]))
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 1
    harness.assert_clean(folder / "root", layers=0)


def test_paths_that_hold_no_image(folder):
    (folder / "empty").mkdir()
    (folder / "text").write_text("hello" * 1000)
    (folder / "tar").write_bytes(make_tar(entry("x")))
    for name, words in (("missing", "No such file"), ("empty", "neither"), ("text", "checksum"), ("tar", "neither")):
        outcome = import_path(folder / "root", folder / name)
        assert outcome.code == 1 and words in outcome.message(), outcome.events


def test_what_dead_runs_left_is_removed_and_the_rest_is_not(folder):
    layout = sample(folder)
    layers, ingest = folder / "root/layers", folder / "root/content/ingest"
    for path in (layers / ".new-dead/fs/a/b", layers / ".new-live/fs", ingest):
        path.mkdir(parents=True)
    for path in (layers / ("0" * 64 + ".lock"), layers / ("1" * 64 + ".lock"), ingest / "dead", ingest / "live"):
        path.touch()
    held = [os.open(path, os.O_RDONLY) for path in (layers / ".new-live", layers / ("1" * 64 + ".lock"), ingest / "live")]
    for fd in held:
        fcntl.flock(fd, fcntl.LOCK_EX)
    outcome = import_path(folder / "root", layout.folder)
    assert outcome.code == 0, outcome.message()
    assert sorted(n for n in os.listdir(layers) if len(n) != 64) == [".new-live", "1" * 64 + ".lock"]
    assert os.listdir(ingest) == ["live"]
    for fd in held:
        os.close(fd)
    assert import_path(folder / "root", layout.folder).code == 0
    harness.assert_clean(folder / "root", layers=2)


def test_a_layer_without_its_size_is_unpacked_again(folder):
    layout = sample(folder)
    image = check_sample(folder, import_path(folder / "root", layout.folder), ["docker.io/library/sample:1"])
    broken = folder / "root/layers" / image["layers"][0]["chain_id"][7:]
    (broken / "size").unlink()
    (broken / "fs/a").unlink()
    check_sample(folder, import_path(folder / "root", layout.folder), ["docker.io/library/sample:1"])


# --- docker save ---


def docker_archive(path, images, shared=()):
    """images: (tags, config, {file name: tar or (link target)})."""
    items = []
    with tarfile.open(path, "w") as tar:
        def put(name, data):
            tar.addfile(*(lambda info, data: (info, io.BytesIO(data)))(*entry(name, data=data)))

        for name, target in shared:
            tar.addfile(entry(name, "2", linkname=target)[0])
        for tags, config, layers in images:
            body = json.dumps(config).encode()
            name = hashlib.sha256(body).hexdigest() + ".json"
            put(name, body)
            for layer, data in layers.items():
                if data is not None:
                    put(layer, data)
            items.append({"Config": name, "RepoTags": tags, "Layers": list(layers)})
        put("manifest.json", json.dumps(items).encode())


def docker_config(*layers):
    return {"architecture": "amd64", "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [harness.sha256(layer) for layer in layers]}}


def test_a_docker_archive(folder):
    docker_archive(folder / "d.tar", [(["busybox:1", "quay.io/x/y:2"], docker_config(*LAYERS),
                                       {"1/layer.tar": LAYERS[0], "2/layer.tar": LAYERS[1]})])
    image = check_sample(folder, import_path(folder / "root", folder / "d.tar"),
                         ["docker.io/library/busybox:1", "quay.io/x/y:2"])
    manifest = json.loads((folder / "root/content/blobs/sha256" / image["manifest"][7:]).read_bytes())
    assert [layer["digest"] for layer in manifest["layers"]] == [harness.sha256(layer) for layer in LAYERS]
    check_sample(folder, import_path(folder / "root", folder / "d.tar", "own:1"), ["docker.io/library/own:1"])


def test_a_docker_archive_with_links_and_compressed_layers(folder):
    docker_archive(folder / "d.tar", [
        (None, docker_config(*LAYERS), {"1/layer.tar": gzip.compress(LAYERS[0]), "2/layer.tar": LAYERS[1]}),
        (["again:1"], docker_config(LAYERS[1], LAYERS[1]), {"3/layer.tar": None, "4/layer.tar": None})],
        shared=[("3/layer.tar", "../2/layer.tar"), ("4/layer.tar", "../3/layer.tar")])
    outcome = import_path(folder / "root", folder / "d.tar")
    assert outcome.code == 0, outcome.message()
    assert [image["names"] for image in outcome.images] == [[], ["docker.io/library/again:1"]]
    harness.assert_clean(folder / "root", layers=4)


def test_a_docker_archive_by_skopeo(folder):
    harness.need("skopeo")
    layout = sample(folder, "t")
    subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{layout.folder}:t",
                    f"docker-archive:{folder}/d.tar:example.com/x:3"], check=True)
    check_sample(folder, import_path(folder / "root", folder / "d.tar"), ["example.com/x:3"])


def test_an_oci_archive_by_skopeo(folder):
    harness.need("skopeo")
    layout = sample(folder, "t")
    subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{layout.folder}:t",
                    f"oci-archive:{folder}/o.tar:example.com/x:3"], check=True)
    check_sample(folder, import_path(folder / "root", folder / "o.tar"), ["example.com/x:3"])


def test_a_layout_by_umoci(folder):
    harness.need("umoci")

    def umoci(*args):
        subprocess.run(["umoci", *args], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    umoci("init", "--layout", "l")
    umoci("new", "--image", "l:x")
    umoci("unpack", "--image", "l:x", "bundle")
    tree = folder / "bundle/rootfs"
    (tree / "d/e").mkdir(parents=True)
    (tree / "d/e/f").write_bytes(b"f" * 1000)
    os.chown(tree / "d", 12, 34)
    os.chmod(tree / "d/e", 0o1777)
    umoci("repack", "--refresh-bundle", "--image", "l:x", "bundle")
    shutil.rmtree(tree / "d/e")
    umoci("repack", "--refresh-bundle", "--image", "l:x", "bundle")
    outcome = import_path(folder / "root", folder / "l", "x:1")
    assert outcome.code == 0, outcome.message()
    tops = [folder / "root/layers" / layer["chain_id"][7:] / "fs" for layer in outcome.images[0]["layers"]]
    assert os.stat(tops[0] / "d/e").st_mode & 0o7777 == 0o1777 and os.stat(tops[0] / "d").st_uid == 12
    assert harness.is_whiteout(tops[1] / "d/e")


def folder_flags(path, added=0):
    """What ext4 calls the attributes of a folder, after adding some."""
    fd = os.open(path, os.O_RDONLY)
    try:
        flags = struct.unpack("i", fcntl.ioctl(fd, GET_FLAGS, bytes(4)))[0] | added
        if added:
            fcntl.ioctl(fd, SET_FLAGS, struct.pack("i", flags))
        return flags
    except OSError as error:
        raise harness.Skip(f"no attributes of folders here: {error.strerror}") from error
    finally:
        os.close(fd)


def test_layers_get_places_apart(folder):
    (folder / "other").mkdir()
    folder_flags(folder / "other", TOP_OF_TREES)
    assert import_path(folder / "root", sample(folder).folder).code == 0
    assert folder_flags(folder / "root/layers") & TOP_OF_TREES


harness.main()
