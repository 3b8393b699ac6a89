# SPDX-License-Identifier: Apache-2.0
"""An exported image is the one that is here, to us and to others."""
import hashlib
import json
import os
import subprocess
import tarfile

import harness
from harness import entry, make_tar

LOWER = make_tar(
    entry("etc", "5"), entry("etc/a", data=b"a" * 5000), entry("etc/gone", data=b"x"), entry("etc/old", "5"),
    entry("etc/old/inner", data=b"x"), entry("bin", "5", mode=0o1777), entry("bin/su", data=b"#!", mode=0o4755, uid=7),
    entry("bin/link", "1", linkname="bin/su"), entry("bin/soft", "2", linkname="../nowhere"),
    entry("dev", "5"), entry("dev/null", "3", devmajor=1, devminor=3), entry("dev/pipe", "6"),
    entry("n" * 120, data=b"long"), entry("big-owner", data=b"", uid=4000000000, gid=3000000, mtime=1700000000.25),
    entry("attributes", data=b"x", pax_headers={"SCHILY.xattr.user.key": "value\nand more"}))
UPPER = make_tar(entry("etc/.wh.gone"), entry("etc/old", "5"), entry("etc/old/.wh..wh..opq"),
                 entry("etc/old/new", data=b"new"), entry("bin/su", data=b"second"))


def export(root, image, name, path):
    job = {"op": "export", "root": str(root), "config": image["id"], "name": name,
           "layers": [layer["chain_id"] for layer in image["layers"]]}
    run = subprocess.run(["sh", "-c", 'exec "$0" 3>"$1"', harness.PROGRAM, path], input=json.dumps(job).encode(),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return harness.Outcome(run.returncode, [json.loads(line) for line in run.stdout.splitlines()])


def exported(folder, *layers, name="example.com/some/app:1", **more):
    """Imports an image, exports it; returns both roots' images and the archive."""
    layout = harness.Layout(folder / "layout")
    layout.add(layout.image(*layers, **more))
    image = harness.import_path(folder / "root", layout.folder).images[0]
    archive = folder / "exported.tar"
    outcome = export(folder / "root", image, name, archive)
    assert outcome.code == 0, outcome.message()
    return image, archive, outcome.events[-1]


def test_the_same_tree_comes_back(folder):
    image, archive, said = exported(folder, LOWER, UPPER, config={"config": {"User": "7", "Env": ["A=b"]}})
    again = harness.import_path(folder / "other", archive)
    assert again.code == 0, again.message()
    back = again.images[0]
    assert back["id"] == said["id"] and said["size"] == archive.stat().st_size
    assert back["names"] == ["example.com/some/app:1"] and back["config"]["config"] == {"User": "7", "Env": ["A=b"]}
    for old, new in zip(image["layers"], back["layers"], strict=True):
        # (A whiteout has no time of its own.)
        left, right = (folder / root / "layers" / layer["chain_id"][7:] / "fs"
                       for root, layer in (("root", old), ("other", new)))
        for tree in left, right:
            for path in filter(harness.is_whiteout, tree.rglob("*")):
                os.utime(path, (0, 0))
        harness.assert_same_tree(left, right)
    # What was written once is written so again.
    assert export(folder / "other", back, "example.com/some/app:1", folder / "second.tar").code == 0
    assert (folder / "second.tar").read_bytes() == archive.read_bytes()


def test_it_is_a_layout_whose_blobs_are_what_they_are_called(folder):
    _, archive, _ = exported(folder, LOWER, LOWER, b"\0" * 1024)
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        assert names[:3] == ["oci-layout", "index.json", "manifest.json"] and len(names) == len(set(names)), names
        for name in names:
            if name.startswith("blobs/sha256/"):
                assert hashlib.sha256(tar.extractfile(name).read()).hexdigest() == name[13:]
        docker = json.load(tar.extractfile("manifest.json"))
        assert docker[0]["RepoTags"] == ["example.com/some/app:1"] and set(docker[0]["Layers"]) <= set(names)


def test_skopeo_reads_it(folder):
    harness.need("skopeo")
    _, archive, said = exported(folder, LOWER, UPPER, config={"config": {"Labels": {"a": "b"}}})
    for source in (f"oci-archive:{archive}", f"oci-archive:{archive}:1", f"docker-archive:{archive}"):
        told = json.loads(subprocess.run(["skopeo", "inspect", source], check=True, capture_output=True).stdout)
        assert told["Labels"] == {"a": "b"} and len(told["Layers"]) == 2, told
    raw = subprocess.run(["skopeo", "inspect", "--raw", "--config", f"oci-archive:{archive}"], check=True,
                         capture_output=True).stdout
    assert "sha256:" + hashlib.sha256(raw).hexdigest() == said["id"]


def test_docker_archives_and_compressed_ones_come_back_too(folder):
    harness.need("skopeo")
    _, archive, said = exported(folder, LOWER)
    subprocess.run(["gzip", "-1", archive], check=True)
    back = harness.import_path(folder / "other", f"{archive}.gz")
    assert back.images and back.images[0]["id"] == said["id"], back.message()


def test_no_name_and_no_layers(folder):
    image, archive, said = exported(folder, name="")
    back = harness.import_path(folder / "other", archive).images[0]
    assert back["names"] == [] and back["layers"] == [] and back["id"] == said["id"]
    assert image["config"]["os"] == "linux"


def test_what_cannot_be_written_is_said(folder):
    layout = harness.Layout(folder / "layout")
    layout.add(layout.image(LOWER))
    image = harness.import_path(folder / "root", layout.folder).images[0]
    outcome = export(folder / "root", image, "", "/dev/full")
    assert outcome.code == 1 and "No space left" in outcome.message(), outcome.events
    image["id"] = "sha256:" + "0" * 64
    assert export(folder / "root", image, "", folder / "out").errors[0]["code"] == 5
    image["layers"][0]["chain_id"] = "../../etc"
    assert "chain id" in export(folder / "root", image, "", folder / "out").message()
    os.unlink(folder / "out")


harness.main()
