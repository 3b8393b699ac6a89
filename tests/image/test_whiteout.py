#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whiteouts and opaque folders, as they are on disk and as overlayfs shows them."""
import subprocess

import harness
from harness import entry, is_opaque, is_whiteout, make_tar, refuse_one, unpack_one


def below():
    return make_tar(entry("d", "5"), entry("d/a", data=b"a"), entry("d/b", data=b"b"), entry("d/s", "5"),
                    entry("d/s/x", data=b"x"), entry("e", "5"), entry("e/old", data=b"old"), entry("f", data=b"f"))


def show(folder, *above):
    """The files that overlayfs shows with a layer of these entries above the one below."""
    outcome, layers = harness.unpack(folder, below(), make_tar(*above))
    assert outcome.code == 0, outcome.message()
    view = folder / "view"
    view.mkdir(exist_ok=True)
    lowers = ":".join(str(layer) for layer in reversed(layers))
    subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={lowers}", "overlay", view], check=True)
    try:
        return set(harness.snapshot(view)), layers[1]
    finally:
        subprocess.run(["umount", view], check=True)


ALL = {"d", "d/a", "d/b", "d/s", "d/s/x", "e", "e/old", "f"}


def test_a_whiteout_hides_a_file(folder):
    shown, layer = show(folder, entry("d/.wh.a"), entry(".wh.f", uid=5, gid=6))
    assert shown == ALL - {"d/a", "f"}
    assert is_whiteout(layer / "d/a") and is_whiteout(layer / "f")
    assert ((layer / "f").lstat().st_uid, (layer / "f").lstat().st_gid) == (5, 6)


def test_a_whiteout_hides_a_folder(folder):
    shown, _ = show(folder, entry("d/.wh.s"), entry(".wh.e"))
    assert shown == ALL - {"d/s", "d/s/x", "e", "e/old"}


def test_an_opaque_folder_hides_all_below_wherever_the_mark_stands(folder):
    for entries in ([entry("d", "5"), entry("d/.wh..wh..opq"), entry("d/new", data=b"n")],
                    [entry("d", "5"), entry("d/new", data=b"n"), entry("d/.wh..wh..opq")],
                    [entry("d/.wh..wh..opq"), entry("d/new", data=b"n"), entry("d", "5", mode=0o700)]):
        shown, layer = show(folder, *entries)
        assert shown == {"d", "d/new", "e", "e/old", "f"}, shown
        assert is_opaque(layer / "d")


def test_a_file_can_come_back(folder):
    shown, layer = show(folder, entry("d/.wh.a"), entry("d/a", data=b"again"))
    assert shown == ALL
    assert (layer / "d/a").read_bytes() == b"again"


def test_a_whiteout_after_its_file_leaves_the_file(folder):
    shown, layer = show(folder, entry("d/a", data=b"again"), entry("d/.wh.a"))
    assert shown == ALL
    assert (layer / "d/a").read_bytes() == b"again"


def test_a_folder_that_comes_back_is_a_new_one(folder):
    for entries in ([entry(".wh.d"), entry("d", "5"), entry("d/new", data=b"n")],
                    [entry(".wh.d"), entry("d/new", data=b"n")],
                    [entry("d", "5"), entry("d/new", data=b"n"), entry(".wh.d")],
                    [entry("d/new", data=b"n"), entry(".wh.d")]):
        shown, layer = show(folder, *entries)
        assert shown == {"d", "d/new", "e", "e/old", "f"}, shown
        assert is_opaque(layer / "d")


def test_what_aufs_left_is_ignored(folder):
    layer = unpack_one(folder, entry(".wh..wh.plnk", "5"), entry(".wh..wh.aufs"), entry("f", data=b"x"))
    assert set(harness.snapshot(layer)) == {"f"}


def test_invalid_whiteouts_are_refused(folder):
    for name in (".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..."):
        assert "invalid whiteout name" in refuse_one(folder, entry(name)), name


def test_a_whiteout_of_nothing_is_there(folder):
    layer = unpack_one(folder, entry("new/.wh.never"))
    assert is_whiteout(layer / "new/never")


harness.main()
