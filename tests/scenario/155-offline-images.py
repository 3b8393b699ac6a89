# SPDX-License-Identifier: Apache-2.0
"""Images that lie as archives in a folder of the node: imported once, never asked of a registry."""
import os
import shutil
import subprocess
import sys

import grpc

from berth import IMAGE, TOP, wait_for

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position

NAME = "registry.invalid/team/app:1"


def status(berth, name):
    answer = berth.images.ImageStatus(image={"image": name})
    return answer.image if answer.HasField("image") else None


def fill(berth, *names):
    """A folder with busybox under each name, and no image in the store."""
    folder = berth.dir / "offline"
    folder.mkdir()
    assert berth.ctl("image", "export", IMAGE, berth.dir / "one.tar").returncode == 0
    for name in names:
        assert berth.ctl("image", "import", "--name", name, berth.dir / "one.tar").returncode == 0
        assert berth.ctl("image", "export", name, folder / f"{name.split('/')[-1].replace(':', '-')}.tar").returncode == 0
    berth.images.RemoveImage(image={"image": IMAGE})
    for name in names:
        berth.images.RemoveImage(image={"image": name})
    berth.config.setdefault("image", {})["offline_dir"] = str(folder)
    return folder


def log(berth):
    return berth.log_file.read_text()


def test_what_is_in_the_folder_is_on_the_node(berth):
    folder = fill(berth, NAME)
    (folder / "broken.tar.gz").write_bytes(b"\x1f\x8b nothing")
    berth.restart()
    wait_for(lambda: (i := status(berth, NAME)) and i.pinned, what="the import")
    image = status(berth, NAME)
    assert image.pinned and NAME in image.repo_tags
    assert berth.images.PullImage(image={"image": NAME}).image_ref == image.id
    done = berth.ctl("explain", NAME)
    assert done.returncode == 0 and done.stdout == f"{NAME}, by {folder}/app-1.tar: no host is asked\n", done
    done = berth.ctl("explain", "registry.invalid/team/app:2")
    assert done.returncode == 1 and "1. https://registry.invalid/v2" in done.stdout, done
    try:
        berth.images.PullImage(image={"image": "registry.invalid/team/app:2"})
        raise AssertionError("another tag was pulled")
    except grpc.RpcError as e:
        assert "RegistryUnavailable" in e.details(), e.details()
    pod = berth.run_pod(host_network=True)
    container = berth.create(pod, "sleep", "100", image={"image": NAME})
    berth.start(container)
    before = log(berth).count(" import ")
    assert before
    berth.restart()
    assert berth.images.PullImage(image={"image": NAME}).image_ref == image.id
    assert log(berth).count(" import ") == before, "an archive that did not change was read again"
    assert log(berth).count("broken.tar.gz is not used") == 1, log(berth)


def test_the_folder_may_change_while_berthd_runs(berth):
    folder = fill(berth, NAME, "registry.invalid/team/more:1")
    os.rename(folder / "more-1.tar", berth.dir / "more-1.tar")
    berth.restart()
    wait_for(lambda: (i := status(berth, NAME)) and i.pinned, what="the import")
    assert status(berth, "registry.invalid/team/more:1") is None
    shutil.copy(berth.dir / "more-1.tar", folder)
    assert berth.images.PullImage(image={"image": "registry.invalid/team/more:1"}).image_ref
    berth.images.RemoveImage(image={"image": NAME})
    assert status(berth, NAME) is None
    assert berth.images.PullImage(image={"image": NAME}).image_ref == status(berth, NAME).id
    for file in folder.iterdir():
        file.unlink()
    berth.restart()
    wait_for(lambda: not status(berth, NAME).pinned, what="the end of the pin")


def archive(berth, path, name, word):
    """An archive with an image of that name and a file with that word; moved there when it is whole."""
    layout = harness.Layout(berth.dir / word)
    layout.add(layout.image(harness.make_tar(harness.entry("word", data=word.encode()))), name)
    subprocess.run(["tar", "-C", layout.folder, "-cf", berth.dir / "new", "."], check=True)
    os.rename(berth.dir / "new", path)


def test_what_comes_to_the_folder_is_seen(berth):
    folder = berth.dir / "offline"
    berth.config.setdefault("image", {})["offline_dir"] = str(folder)
    berth.restart()
    wait_for(folder.is_dir, what="the folder")
    archive(berth, folder / "app.tar", NAME, "first")
    first = wait_for(lambda: (i := status(berth, NAME)) and i.pinned and i, what="an image that nobody asked for")
    archive(berth, folder / "app.tar", NAME, "second")
    second = wait_for(lambda: (i := status(berth, NAME)).id != first.id and i.pinned and i, what="the newer one")
    assert not status(berth, first.id).pinned, "the older one may go"
    shutil.copy(folder / "app.tar", folder / "copy.tar")
    archive(berth, folder / "broken.tar", "Not A Name", "third")
    wait_for(lambda: log(berth).count(" import ") >= 3, what="the copy")
    os.rename(folder, berth.dir / "elsewhere")
    wait_for(folder.is_dir, what="the folder again")
    archive(berth, folder / "app.tar", NAME, "fourth")
    wait_for(lambda: status(berth, NAME).id not in (first.id, second.id), what="what came to the new folder")


def test_a_pull_sees_what_the_folder_has_now(berth):
    """Also where nobody is told of changes: here the folder is a link that leads elsewhere all of a sudden."""
    folders = [berth.dir / "one", berth.dir / "two"]
    for number, at in enumerate(folders):
        at.mkdir()
        archive(berth, at / "app.tar", NAME, f"word{number}")
    link = berth.dir / "offline"
    link.symlink_to(folders[0])
    berth.config.setdefault("image", {})["offline_dir"] = str(link)
    berth.restart()
    first = wait_for(lambda: (i := status(berth, NAME)) and i.pinned and i.id, what="the import")
    assert berth.images.PullImage(image={"image": NAME}).image_ref == first
    link.unlink()
    link.symlink_to(folders[1])
    second = berth.images.PullImage(image={"image": NAME}).image_ref
    assert second != first and status(berth, NAME).id == second
    before = log(berth).count(" import ")
    assert berth.images.PullImage(image={"image": NAME}).image_ref == second
    assert log(berth).count(" import ") == before, "nothing had changed"
