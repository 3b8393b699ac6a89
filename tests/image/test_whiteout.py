#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whiteouts and opaque folders, as they are on disk and as overlayfs shows them."""
import contextlib
import pathlib
import random
import subprocess
import tempfile

import harness
from harness import entry, is_opaque, is_whiteout, make_tar, refuse_one, unpack_one


def below():
    return make_tar(entry("d", "5"), entry("d/a", data=b"a"), entry("d/b", data=b"b"), entry("d/s", "5"),
                    entry("d/s/x", data=b"x"), entry("e", "5"), entry("e/old", data=b"old"), entry("f", data=b"f"))


@contextlib.contextmanager
def view_of(folder, layers):
    """What a container sees of them."""
    view = folder / "view"
    view.mkdir(exist_ok=True)
    lowers = ":".join(str(layer) for layer in reversed(layers))
    subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={lowers}", "overlay", view], check=True)
    try:
        yield view
    finally:
        subprocess.run(["umount", view], check=True)


def show(folder, *above):
    """The files that overlayfs shows with a layer of these entries above the one below."""
    outcome, layers = harness.unpack(folder, below(), make_tar(*above))
    assert outcome.code == 0, outcome.message()
    with view_of(folder, layers) as view:
        return set(harness.snapshot(view)), layers[1]


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


# --- as umoci unpacks it ---

KINDS = {"dir": 4, "file": 6, "link": 1, "hard": 1, "fifo": 1, "device": 1, "gone": 3, "opaque": 1}


def random_layer(dice, there):
    """Entries of a layer above what is there, {path: kind}, which becomes what is there then."""
    entries, made, facts = [], {}, {}
    for _ in range(dice.randrange(4, 14)):
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        folders = [""] + [path + "/" for path, what in there.items() if what == "dir"]
        parent = dice.choice(folders)
        path = parent + dice.choice("abcd")
        if path in made or (kind == "gone" and path not in there):
            continue
        more = {"mode": dice.choice((0o644, 0o755, 0o4755, 0o700)), "uid": dice.randrange(3), "gid": dice.randrange(3),
                "mtime": 10**9 + dice.randrange(10**6)}
        if kind == "opaque":
            inside = [name for name in made if name.startswith(path + "/")]
            if there.get(path) != "dir" or inside or made.get(path):
                continue
            entries += [entry(path, "5", **more), entry(path + "/.wh..wh..opq")]
            kind = "dir"
            there = {name: what for name, what in there.items() if not name.startswith(path + "/")}
        elif kind == "gone":
            if any(name.startswith(path + "/") for name in made):
                continue
            entries.append(entry(parent + ".wh." + path[len(parent):]))
        elif kind == "dir":
            entries.append(entry(path, "5", **more))
        elif any(name.startswith(path + "/") for name in made):
            continue
        elif kind == "file":
            entries.append(entry(path, data=dice.randbytes(dice.randrange(5000)), **more))
        elif kind == "link":
            entries.append(entry(path, "2", linkname=dice.choice(("a", "/b", "../c", "no/where")), **more))
        elif kind == "hard":
            targets = [name for name, what in made.items() if what == "file"]
            if not targets:
                continue
            target = dice.choice(targets)
            entries.append(entry(path, "1", linkname=target, **facts[target]))
        elif kind == "fifo":
            entries.append(entry(path, "6", **more))
        elif kind == "device":
            entries.append(entry(path, "3", devmajor=1, devminor=3, **more))
        if kind != "dir" or there.get(path) != "dir":
            there = {name: what for name, what in there.items() if name != path and not name.startswith(path + "/")}
        made[path], facts[path] = kind, more
        if kind != "gone":
            there = {**there, path: kind}
    return make_tar(*entries), there


def test_layers_show_what_umoci_unpacks(folder):
    harness.need("umoci")
    for seed in range(12):
        dice, there, layers = random.Random(seed), {}, []
        for _ in range(5):
            tar, there = random_layer(dice, there)
            layers.append(tar)
        here = pathlib.Path(tempfile.mkdtemp(dir=folder))
        layout = harness.Layout(here / "layout")
        layout.add(layout.image(*layers), "t")
        subprocess.run(["umoci", "unpack", "--image", f"{layout.folder}:t", here / "bundle"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        outcome = harness.import_path(here / "root", layout.folder)
        assert outcome.code == 0, (seed, outcome.message())
        tops = [here / "root/layers" / layer["chain_id"][7:] / "fs" for layer in outcome.images[0]["layers"]]
        with view_of(here, tops) as view:
            assert set(harness.snapshot(view)) == set(there), (seed, set(harness.snapshot(view)) ^ set(there))
            ours, theirs = harness.snapshot(view), harness.snapshot(here / "bundle/rootfs")
            for facts in [*ours.values(), *theirs.values()]:
                if len(facts.get("links", "")) == 1:  # the other names are hidden
                    del facts["links"]
            assert ours == theirs, (seed, [(n, ours.get(n), theirs.get(n)) for n in {**ours, **theirs} if ours.get(n) != theirs.get(n)])


harness.main()
