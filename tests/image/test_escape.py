#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No archive reaches outside of its layer's folder, and none takes more than the limits allow."""
import os
import pathlib
import subprocess
import tarfile

import harness
from harness import entry, make_tar, refuse_one, unpack_one


def secret(folder):
    """Something outside of the layer, to be left alone."""
    path = pathlib.Path(folder) / "outside"
    path.mkdir()
    (path / "secret").write_bytes(b"keep")
    return path


def assert_untouched(path):
    assert os.listdir(path) == ["secret"] and (path / "secret").read_bytes() == b"keep"


def test_dots_and_slashes_stop_at_the_root(folder):
    layer = unpack_one(folder, entry("../../../up", data=b"1"), entry("/abs", data=b"2"), entry("./dot", data=b"3"),
                       entry("a/../../b/./c", data=b"4"), entry("//x///y//", "5"), entry("..", "5"), entry("/", "5"))
    assert harness.snapshot(layer).keys() == {"up", "abs", "dot", "b", "b/c", "x", "x/y"}


def test_a_planted_link_is_not_written_through(folder):
    outside = secret(folder)
    for i, target in enumerate((str(outside), "../" * 12 + str(outside)[1:], "../outside", "../../../../outside")):
        layer = unpack_one(
            folder,
            entry("link", "2", linkname=target), entry("link/new", data=b"x"), entry("link/d", "5"),
            entry("link/d/f", data=b"x"), entry("link/secret", data=b"changed"),
            entry("link/.wh.secret2"), entry("link/.wh..wh..opq"), entry(f"n{i}", data=b""))
        assert_untouched(outside)
        # what the link points to, seen from the layer's root, was made there
        inside = layer / os.path.normpath("/./" + target).lstrip("/")
        assert (inside / "new").read_bytes() == b"x"
        assert (inside / "d/f").read_bytes() == b"x"


def test_a_file_is_not_written_through_a_link_of_its_name(folder):
    outside = secret(folder)
    layer = unpack_one(folder, entry("f", "2", linkname=str(outside / "secret")), entry("f", data=b"mine"),
                       entry("g", "2", linkname=str(outside / "new")), entry("g", data=b"mine"))
    assert_untouched(outside)
    assert (layer / "f").read_bytes() == b"mine" and (layer / "g").read_bytes() == b"mine"


def test_metadata_is_not_set_through_links(folder):
    outside = secret(folder)
    before = os.stat(outside / "secret")
    unpack_one(folder, entry("l", "2", linkname=str(outside / "secret"), uid=77, gid=78, mode=0o777, mtime=5),
               entry("h", "1", linkname="l", uid=79, gid=80, mode=0o777, mtime=6))
    after = os.stat(outside / "secret")
    assert (before.st_uid, before.st_mode, before.st_mtime) == (after.st_uid, after.st_mode, after.st_mtime)


def test_hard_links_do_not_leave(folder):
    outside = secret(folder)
    for target in ("../../../../outside/secret", str(outside / "secret"), "/etc/passwd", "link/secret"):
        words = refuse_one(folder, entry("link", "2", linkname=str(outside)), entry("h", "1", linkname=target))
        assert "No such file" in words, words
    assert os.stat(outside / "secret").st_nlink == 1


def test_a_hard_link_to_a_link_is_that_link(folder):
    layer = unpack_one(folder, entry("l", "2", linkname="/etc/passwd"), entry("h", "1", linkname="/l"),
                       entry("a/f", data=b"x"), entry("b", "1", linkname="../a/./f"), entry("b", "1", linkname="b"),
                       entry("a/f", "1", linkname="b"))
    assert os.readlink(layer / "h") == "/etc/passwd"
    assert (layer / "b").read_bytes() == b"x" and os.stat(layer / "b").st_nlink == 2


def test_hard_links_to_folders_and_to_nothing_are_refused(folder):
    assert "link to d" in refuse_one(folder, entry("d", "5"), entry("h", "1", linkname="d"))
    assert "No such file" in refuse_one(folder, entry("h", "1", linkname="gone"))


def test_a_link_is_followed_again_after_it_was_replaced(folder):
    layer = unpack_one(
        folder,
        entry("a", "5"), entry("b", "5"), entry("l", "2", linkname="a"), entry("l/one", data=b"1"),
        entry("l", "2", linkname="b"), entry("l/two", data=b"2"), entry("l", "5"), entry("l/three", data=b"3"))
    assert harness.snapshot(layer).keys() == {"a", "a/one", "b", "b/two", "l", "l/three"}


def test_links_that_go_round_are_refused(folder):
    words = refuse_one(folder, entry("a", "2", linkname="b"), entry("b", "2", linkname="a"), entry("a/f", data=b"x"))
    assert "Too many levels of symbolic links" in words, words


def test_dangling_links_in_the_way_are_followed_inside(folder):
    layer = unpack_one(
        folder,
        entry("l", "2", linkname="../x/y"), entry("l/f", data=b"1"), entry("d/m", "2", linkname="../../z/./w/.."),
        entry("d/m/g", data=b"2"), entry("abs", "2", linkname="/q"), entry("abs/r/h", data=b"3"))
    assert (layer / "x/y/f").read_bytes() == b"1"
    assert (layer / "z/g").read_bytes() == b"2"
    assert (layer / "q/r/h").read_bytes() == b"3"


def test_a_file_in_the_way_is_refused(folder):
    assert "Not a directory" in refuse_one(folder, entry("f", data=b"x"), entry("f/g", data=b"x"))
    assert "Not a directory" in refuse_one(folder, entry("p", "6"), entry("p/g", data=b"x"))


def test_deep_folders_are_refused(folder):
    deep = "/".join(["d"] * 200)
    layer = unpack_one(folder, entry(deep, "5"))
    assert (layer / deep).is_dir()
    words = refuse_one(folder, entry(deep, "5"), entry("l", "2", linkname=deep), entry("l/" + deep, "5"))
    assert "deep" in words, words
    assert "deep" in refuse_one(folder, entry("/".join(["d"] * 2000) + "/f", data=b"x"))


def test_long_names(folder):
    layer = unpack_one(folder, entry("n" * 255, data=b"x"), entry("l", "2", linkname="t" * 4095))
    assert (layer / ("n" * 255)).read_bytes() == b"x" and len(os.readlink(layer / "l")) == 4095
    assert "File name too long" in refuse_one(folder, entry("n" * 256, data=b"x"))
    assert "File name too long" in refuse_one(folder, entry("n" * 256 + "/f", data=b"x"))
    assert "more than 4095 bytes" in refuse_one(folder, entry("x/" * 2048, "5"))
    assert "more than 4095 bytes" in refuse_one(folder, entry("l", "2", linkname="t" * 4096))


def test_devices_that_would_be_whiteouts_are_left_out(folder):
    layer = unpack_one(folder, entry("c", "3", devmajor=0, devminor=0), entry("d", "3", devmajor=1, devminor=5))
    assert os.listdir(layer) == ["d"]


def test_limits_of_extensions(folder):
    words = refuse_one(folder, entry("f", pax_headers={"SCHILY.xattr.user.x": "v" * 65537}))
    assert "longer than 65536 bytes" in words, words
    words = refuse_one(folder, entry("f", pax_headers={f"SCHILY.xattr.user.{i}": "v" for i in range(257)}))
    assert "more than 256" in words, words
    assert "more than" in refuse_one(folder, entry("f", pax_headers={"comment": "v" * 1048576}))


def test_strange_entries_are_refused(folder):
    assert "entry type 0x56" in refuse_one(folder, entry("f", "V"))
    assert "owner" in refuse_one(folder, entry("f", pax_headers={"uid": "4294967295"}))


def test_archives_that_end_early_are_refused(folder):
    whole = make_tar(entry("f", data=b"x" * 5000), form=tarfile.USTAR_FORMAT)
    for length in (1, 511, 513, 600, 5500):
        outcome, _ = harness.unpack(folder, whole[:length])
        assert "ends inside an entry" in outcome.message(), outcome.events
    for length in (512 + 5000, 512 + 5000 + 100, 512 + 5120, 512 + 5120 + 512):
        outcome, _ = harness.unpack(folder, whole[:length])
        assert outcome.code == 0, outcome.message()


def test_a_full_disk_fails_and_leaves_nothing(folder):
    harness.need("mount")
    (folder / "root").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder / "root"], check=True)
    try:
        outcome, _ = harness.unpack(folder, make_tar(entry("f", data=os.urandom(6000000))))
        assert outcome.code == 1 and "No space left" in outcome.message(), outcome.events
        assert outcome.errors[0]["code"] == 8, "RESOURCE_EXHAUSTED"
        harness.assert_clean(folder / "root", layers=0)
    finally:
        subprocess.run(["umount", folder / "root"], check=True)


harness.main()
