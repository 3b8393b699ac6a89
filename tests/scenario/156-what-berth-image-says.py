# SPDX-License-Identifier: Apache-2.0
"""A berth-image that was taken over by what it read: what it says is not believed, and nothing of it stays."""
import json
import sys

import grpc

from berth import IMAGE

NAME = "registry.invalid/team/app:1"
REPOSITORY = NAME.removesuffix(":1")
ID, TARGET, OTHER = ("sha256:" + digit * 64 for digit in "abc")
IMAGE_EVENT = {"event": "image", "names": [NAME, f"{REPOSITORY}@{TARGET}"], "id": ID, "manifest": TARGET, "size": 1,
               "target": {"digest": TARGET, "media_type": "application/vnd.oci.image.index.v1+json"},
               "config": {"config": {"User": "7"}}, "layers": []}
LAYER = {"digest": OTHER, "diff_id": OTHER, "chain_id": OTHER, "size": 1, "used_bytes": 1, "inodes": 1}

LIES = {
    "another image's name": {"names": [NAME, IMAGE]},
    "another tag": {"names": [f"{REPOSITORY}:2"]},
    "another digest": {"names": [f"{REPOSITORY}@{OTHER}"]},
    "an id that is a path": {"id": "sha256:../../../etc"},
    "a layer that is a path": {"layers": [{**LAYER, "chain_id": "../containers"}]},
    "a layer that was not announced": {"layers": [LAYER]},
    "less than nothing": {"size": -1},
    "no manifest": {"manifest": None},
}


def take_over(berth, *lines, status=0):
    """A helper that says these lines, whatever its job."""
    said = berth.dir / "said"
    said.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    program = berth.dir / "helper"
    program.write_text(f"#!{sys.executable}\nimport shutil, sys\nsys.stdin.read()\n"
                       f"shutil.copyfileobj(open({str(said)!r}), sys.stdout)\nsys.exit({status})\n")
    program.chmod(0o755)
    berth.config["image"]["helper"] = str(program)


def pull(berth, name=NAME):
    try:
        return berth.images.PullImage(image={"image": name}).image_ref
    except grpc.RpcError as e:
        return e.details()


def names(berth):
    return sorted(name for i in berth.images.ListImages().images for name in [*i.repo_tags, *i.repo_digests])


def test_lies_are_not_believed(berth):
    before = names(berth)
    take_over(berth, IMAGE_EVENT)
    berth.restart()
    assert pull(berth) == ID, "the truth is believed"
    assert berth.images.ImageStatus(image={"image": NAME}).image.uid.value == 7
    berth.images.RemoveImage(image={"image": NAME})
    for words, lie in LIES.items():
        take_over(berth, {**IMAGE_EVENT, **lie})
        assert pull(berth) != ID and names(berth) == before, (words, names(berth))
    take_over(berth, {**IMAGE_EVENT, "names": [f"{REPOSITORY}@{TARGET}"]})
    assert "berth-image" in pull(berth, f"{REPOSITORY}@{OTHER}") and names(berth) == before
    assert pull(berth, f"{REPOSITORY}@{TARGET}") == ID


def test_nonsense_is_an_error(berth):
    before = names(berth)
    for words, lines, status in (("is no event", ["{}"], 0), ("is no event", ["hello"], 0), ("is no event", ["[1]"], 0),
                                 ("there is no image in it", [], 0), ("ended with status 3", [], 3), ("", ["x" * (9 << 20)], 0),
                                 ("a sentence", [{"event": "error", "code": 99, "message": "a sentence"}], 1),
                                 ("gave no reason", [{"event": "error"}], 1)):
        take_over(berth, *lines, status=status)
        berth.restart()
        said = pull(berth)
        assert said != ID and words in said and names(berth) == before, (words, said)
