# SPDX-License-Identifier: Apache-2.0
"""The power went, and what was synced is not what it was: it is noticed and fetched again, and nothing else is."""
import os
import sys

from berth import IMAGE, TOP, wait_for

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position
from small_registry import SmallRegistry  # pylint: disable=wrong-import-position

DATA = {tag: os.urandom(300_001) for tag in "12"}


def overwrite(path, data):
    """The same size and times: the inode came to the disk, and its data did not."""
    before = os.stat(path)
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.write(data)
    os.chmod(path, before.st_mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES = {
    "a file is cut short": lambda fs, config: os.truncate(fs / "dir/file", 1000),
    "a file is missing": lambda fs, config: os.unlink(fs / "dir/file"),
    "a folder is missing": lambda fs, config: (os.unlink(fs / "dir/file"), os.rmdir(fs / "dir")),
    "a file is empty": lambda fs, config: os.truncate(fs / "dir/file", 0),
    "one block is zeros": lambda fs, config: overwrite(fs / "dir/file", bytes(4096)),
    "a file has another's name": lambda fs, config: os.rename(fs / "dir/file", fs / "dir/other"),
    "the configuration is zeros": lambda fs, config: overwrite(config, bytes(os.stat(config).st_size)),
    "the configuration is missing": lambda fs, config: os.unlink(config),
}


def lose_power(berth):
    berth.kill_daemon()
    (berth.dir / "root/running").write_text("another boot")


def layer(berth, tar):
    return berth.dir / "root/layers" / harness.sha256(tar)[7:] / "fs"


def test_damage_of_any_kind_is_mended(berth):
    layout = harness.Layout(berth.dir / "layout")
    tars = {tag: harness.make_tar(harness.entry("dir", "5"), harness.entry("dir/file", data=data))
            for tag, data in DATA.items()}
    for tag, tar in tars.items():
        layout.add(layout.image(tar), tag)
    with SmallRegistry(layout) as registry:
        ids = {tag: berth.images.PullImage(image={"image": f"{registry.host}/x:{tag}"}).image_ref for tag in tars}
        listed = lambda: {i.id: list(i.repo_tags) for i in berth.images.ListImages().images}
        whole = listed()
        for words, damage in DAMAGES.items():
            asked = len(registry.asked)
            lose_power(berth)
            config = berth.dir / "root/content/blobs/sha256" / ids["1"][7:]
            damage(layer(berth, tars["1"]), config)
            berth.start_daemon()
            assert ids["2"] in listed(), words
            wait_for(lambda: listed() == whole, 30, f"the image's return after {words}")
            assert (layer(berth, tars["1"]) / "dir/file").read_bytes() == DATA["1"], words
            assert harness.sha256(config.read_bytes()) == ids["1"], words
            assert asked < len(registry.asked) <= asked + 2, "what was whole was fetched too"
        lose_power(berth)
        asked = len(registry.asked)
        berth.start_daemon()
        assert listed() == whole and len(registry.asked) == asked
    assert any(IMAGE in tags for tags in whole.values())
