#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Archives of all dialects unpack to what they were made of, as GNU tar would unpack them."""
import os
import stat
import struct
import subprocess
import tarfile

import harness
from harness import entry, make_tar, unpack_one


def make_tree(top):
    """A bit of everything that a layer may hold."""
    top.mkdir()
    (top / "dir/deep/deeper").mkdir(parents=True)
    (top / "dir/file").write_bytes(b"hello\n")
    (top / "empty").write_bytes(b"")
    (top / "big").write_bytes(os.urandom(700001))
    os.link(top / "dir/file", top / "hard")
    os.symlink("dir/file", top / "soft")
    os.symlink("/nowhere/at/all", top / "dangling")
    os.mkfifo(top / "fifo", 0o640)
    os.mknod(top / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(top / "disk", stat.S_IFBLK | 0o600, os.makedev(8, 17))
    (top / ("n" * 99)).mkdir()
    (top / ("n" * 99) / ("m" * 99)).write_bytes(b"long name")
    os.chown(top / "dir/file", 1000, 2000)
    os.chmod(top / "dir/file", 0o4755)
    os.lchown(top / "soft", 33, 44)
    os.chown(top / "dir", 5, 6)
    os.chmod(top / "dir", 0o2775)
    os.chmod(top / "dir/deep", 0o1777)
    for folder, folders, files in os.walk(top, topdown=False):
        for name in folders + files:
            os.utime(os.path.join(folder, name), (1200000000, 1100000000), follow_symlinks=False)


def tar_bytes(top, *options):
    return subprocess.run(["tar", "--numeric-owner", "-C", top, "-c", *options, "."], check=True,
                          stdout=subprocess.PIPE).stdout


def check_tar(folder, *options, change=None):
    make_tree(folder / "tree")
    if change:
        change(folder / "tree")
    data = tar_bytes(folder / "tree", *options)
    outcome, layers = harness.unpack(folder, data)
    assert outcome.code == 0, outcome.message()
    harness.assert_same_tree(folder / "tree", layers[0])


def shorten(tree):
    os.rename(tree / ("n" * 99), tree / "short")
    os.rename(tree / "short" / ("m" * 99), tree / "short/x")
    os.utime(tree / "short", (1100000000, 1100000000))


def test_gnu_tar_in_gnu_format(folder):
    check_tar(folder, "--format=gnu")


def test_gnu_tar_in_oldgnu_format(folder):
    check_tar(folder, "--format=oldgnu")


def test_gnu_tar_in_posix_format(folder):
    check_tar(folder, "--format=posix", "--xattrs")


def test_gnu_tar_in_ustar_format(folder):
    check_tar(folder, "--format=ustar")


def test_gnu_tar_in_v7_format(folder):
    def simple(tree):
        shorten(tree)
        for name in ("fifo", "null", "disk"):
            os.unlink(tree / name)

    check_tar(folder, "--format=v7", change=simple)


def test_times_keep_their_nanoseconds_in_posix_format(folder):
    def touch(tree):
        os.utime(tree / "empty", ns=(1234567890123456789, 1234567890987654321))
        os.utime(tree / "dir/deep", ns=(1234567890123456789, 1034567890987654321))

    check_tar(folder, "--format=posix", change=touch)


def python_tar(folder, form):
    make_tree(folder / "tree")
    shorten(folder / "tree")
    with tarfile.open(folder / "t.tar", "w", format=form) as tar:
        tar.add(folder / "tree", arcname=".")
    outcome, layers = harness.unpack(folder, (folder / "t.tar").read_bytes())
    assert outcome.code == 0, outcome.message()
    harness.assert_same_tree(folder / "tree", layers[0])


def test_python_tar_in_ustar_format(folder):
    python_tar(folder, tarfile.USTAR_FORMAT)


def test_python_tar_in_gnu_format(folder):
    python_tar(folder, tarfile.GNU_FORMAT)


def test_python_tar_in_pax_format(folder):
    python_tar(folder, tarfile.PAX_FORMAT)


def make_sparse(tree):
    with open(tree / "sparse", "wb") as out:
        for i in range(60):
            out.seek(i * 1048576)
            out.write(b"piece %d" % i)
        out.truncate(100 * 1048576)
    with open(tree / "all-hole", "wb") as out:
        out.truncate(5000000)
    for name in ("sparse", "all-hole"):
        os.utime(tree / name, (1100000000, 1100000000))


def check_sparse(folder, *options):
    check_tar(folder, "--sparse", *options, change=make_sparse)
    layer = next((folder / "root/layers").iterdir()) / "fs"
    assert os.stat(layer / "sparse").st_blocks * 512 < 2 * 1048576, "the holes are filled"


def test_sparse_files_in_gnu_format(folder):
    check_sparse(folder, "--format=gnu")


def test_sparse_files_in_pax_0_0(folder):
    check_sparse(folder, "--format=posix", "--sparse-version=0.0")


def test_sparse_files_in_pax_0_1(folder):
    check_sparse(folder, "--format=posix", "--sparse-version=0.1")


def test_sparse_files_in_pax_1_0(folder):
    check_sparse(folder, "--format=posix", "--sparse-version=1.0")


def test_extended_attributes(folder):
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    value = "a\0b\nc"
    layer = unpack_one(
        folder,
        entry("file", data=b"x", uid=7, gid=8, mode=0o755, pax_headers={
            "SCHILY.xattr.user.note": value,
            "SCHILY.xattr.security.capability": capability.decode("latin-1"),
            "SCHILY.xattr.trusted.overlay.redirect": "/etc",
            "SCHILY.xattr.user.overlay.opaque": "y",
            "SCHILY.xattr.security.selinux": "whatever"}),
        entry("dir", "5", pax_headers={"SCHILY.xattr.user.note": "d"}),
        entry("link", "2", linkname="file", pax_headers={"SCHILY.xattr.user.note": "never"}),
        entry("hard", "1", linkname="file", uid=7, gid=8, mode=0o755))
    assert os.getxattr(layer / "file", "user.note") == value.encode()
    assert os.getxattr(layer / "file", "security.capability") == capability
    assert sorted(os.listxattr(layer / "file")) == ["security.capability", "user.note"]
    assert os.getxattr(layer / "dir", "user.note") == b"d"
    assert os.listxattr(layer / "link", follow_symlinks=False) == []
    st = os.stat(layer / "hard")
    assert (st.st_uid, st.st_gid, st.st_nlink) == (7, 8, 2)


def test_set_id_bits_survive_the_change_of_owner(folder):
    layer = unpack_one(folder, entry("a", data=b"x", uid=5, gid=6, mode=0o6755),
                       entry("d", "5", uid=5, gid=6, mode=0o3770), entry("d/f", data=b"y"))
    assert os.stat(layer / "a").st_mode & 0o7777 == 0o6755
    assert os.stat(layer / "d").st_mode & 0o7777 == 0o3770
    assert os.stat(layer / "d/f").st_gid == 0


def test_times_out_of_range_become_1970(folder):
    layer = unpack_one(folder, entry("old", mtime=-5), entry("far", mtime=2**33 + 5),
                       entry("huge", pax_headers={"mtime": "99999999999999999"}))
    for name in ("old", "huge"):
        assert os.stat(layer / name).st_mtime == 0, name
    assert os.stat(layer / "far").st_mtime == 2**33 + 5


def test_the_root_keeps_its_own_owner_and_mode(folder):
    layer = unpack_one(folder, entry("./", "5", mode=0o700, uid=9), entry("f", data=b"x"))
    st = os.stat(layer)
    assert (st.st_mode & 0o7777, st.st_uid) == (0o755, 0)


def test_big_owners_and_sizes_in_base_256(folder):
    data = make_tar(entry("f", data=b"x", uid=4000000000, gid=3000000, mtime=2**33 + 1),
                    form=tarfile.GNU_FORMAT)
    outcome, layers = harness.unpack(folder, data)
    assert outcome.code == 0, outcome.message()
    st = os.stat(layers[0] / "f")
    assert (st.st_uid, st.st_gid, int(st.st_mtime)) == (4000000000, 3000000, 2**33 + 1)


def test_an_entry_replaces_the_one_before(folder):
    layer = unpack_one(
        folder,
        entry("file-to-dir", data=b"x"), entry("file-to-dir", "5"), entry("file-to-dir/in", data=b"y"),
        entry("dir-to-file", "5"), entry("dir-to-file/in", data=b"x"), entry("dir-to-file", data=b"z"),
        entry("link-to-file", "2", linkname="file-to-dir/in"), entry("link-to-file", data=b"own"),
        entry("link-to-dir", "2", linkname="file-to-dir"), entry("link-to-dir", "5"),
        entry("link-to-dir/new", data=b"n"),
        entry("twice", data=b"first, and longer"), entry("twice", data=b"second"),
        entry("dir", "5", mode=0o700), entry("dir/in", data=b"k"), entry("dir", "5", mode=0o711))
    assert (layer / "file-to-dir/in").read_bytes() == b"y"
    assert (layer / "dir-to-file").read_bytes() == b"z"
    assert (layer / "link-to-file").read_bytes() == b"own"
    assert not (layer / "link-to-dir").is_symlink() and not (layer / "file-to-dir/new").exists()
    assert (layer / "twice").read_bytes() == b"second"
    assert (layer / "dir/in").read_bytes() == b"k"
    assert os.stat(layer / "dir").st_mode & 0o7777 == 0o711


def test_missing_parents_are_made(folder):
    layer = unpack_one(folder, entry("a/b/c/f", data=b"x"))
    st = os.stat(layer / "a/b")
    assert (st.st_mode & 0o7777, st.st_uid, st.st_gid) == (0o755, 0, 0)


def test_missing_parents_look_like_those_they_cover(folder):
    below = make_tar(entry("tmp", "5", mode=0o1777, mtime=5), entry("srv", "5", uid=3, gid=4),
                     entry("srv/x", "5", mode=0o700, pax_headers={"SCHILY.xattr.user.k": "v"}),
                     entry("other", data=b"no folder"))
    between = make_tar(entry("srv", "5", uid=8, gid=9))
    above = make_tar(entry("tmp/f", data=b"x"), entry("srv/x/y/f", data=b"x"), entry("other/f", data=b"x"),
                     entry("tmp2/f", data=b"x"), entry("own/f", data=b"x"), entry("own", "5", mode=0o711))
    outcome, layers = harness.unpack(folder, below, between, above)
    assert outcome.code == 0, outcome.message()
    top = layers[2]
    assert os.stat(top / "tmp").st_mode & 0o7777 == 0o1777
    assert os.stat(top / "tmp").st_mtime == 5
    assert os.stat(top / "srv").st_uid == 8
    assert os.stat(top / "srv/x").st_mode & 0o7777 == 0o700
    assert os.getxattr(top / "srv/x", "user.k") == b"v"
    assert os.stat(top / "srv/x/y").st_mode & 0o7777 == 0o755
    assert os.stat(top / "other").st_mode & 0o7777 == 0o755
    assert os.stat(top / "own").st_mode & 0o7777 == 0o711


def test_times_of_folders_are_those_of_their_entries(folder):
    layer = unpack_one(folder, entry("d", "5", mtime=1000), entry("d/e", "5", mtime=2000),
                       entry("d/e/f", data=b"x"), entry("d/g", data=b"x"))
    assert os.stat(layer / "d").st_mtime == 1000
    assert os.stat(layer / "d/e").st_mtime == 2000


def test_what_follows_the_end_is_hashed_and_ignored(folder):
    outcome, layers = harness.unpack(folder, make_tar(entry("f", data=b"x")) + b"garbage" * 10000)
    assert outcome.code == 0, outcome.message()
    assert os.listdir(layers[0]) == ["f"]


def test_empty_archives(folder):
    for i, data in enumerate((b"", b"\0" * 512, b"\0" * 1024, b"\0" * 10240)):
        outcome, layers = harness.unpack(folder, data, config={"created": str(i)})
        assert outcome.code == 0, outcome.message()
        assert os.listdir(layers[0]) == []


def test_usage_is_measured(folder):
    outcome, layers = harness.unpack(folder, make_tar(
        entry("f", data=b"x" * 10000), entry("g", "1", linkname="f"), entry("d", "5"), entry("d/h", data=b"y")))
    layer = outcome.images[0]["layers"][0]
    du = subprocess.run(["du", "-s", "-B1", layers[0]], check=True, stdout=subprocess.PIPE).stdout
    assert layer["used_bytes"] == int(du.split()[0]), (layer, du)
    assert layer["inodes"] == 4
    content = sum({f.stat().st_ino: f.stat().st_size for f in layers[0].rglob("*") if f.is_file()}.values())
    assert (layers[0].parent / "size").read_text().startswith(f"{layer['used_bytes']} {layer['inodes']} {content} ")


def sum_of(data):
    """What src/image/file_sum.h says."""
    words = struct.unpack(f"<{(len(data) + 7) // 8}Q", data + bytes(-len(data) % 8))
    return sum(word * (n * 0x9E3779B97F4A7C15 % 2**64 | 1) for n, word in enumerate(words)) % 2**64


def test_contents_are_summed_up(folder):
    """As they pass by; or afterwards, when one of them was replaced."""
    large, small = os.urandom(1_234_567), os.urandom(13)
    for entries in ([entry("large", data=large), entry("link", "1", linkname="large"), entry("small", data=small)],
                    [entry("small", data=large[:100]), entry("large", data=large), entry("small", data=small)]):
        layer = harness.unpack_one(folder, *entries)
        stated = int((layer.parent / "size").read_text().split()[4], 16)
        assert stated == (sum_of(large) + sum_of(small)) % 2**64, entries


harness.main()
