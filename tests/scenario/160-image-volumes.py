# SPDX-License-Identifier: Apache-2.0
"""An image mounted into a container: read-only, shared by the pod, released with it."""
import pathlib
import subprocess

import grpc

from berth import IMAGE, wait_for


def volume(**more):
    return [{"container_path": "/vol", "readonly": True, "image": {"image": IMAGE}, **more}]


def refused(call):
    try:
        call()
    except grpc.RpcError as e:
        assert "ImageVolumeMountFailed" in e.details(), e
        return e.details()
    raise AssertionError("it was accepted")


def test_an_image_is_a_folder(berth):
    pod = berth.run_pod()
    containers = [berth.run(pod, "sleep", "100", mounts=volume()) for _ in range(2)]
    for container in containers:
        assert berth.exec_sync(container, "/vol/bin/echo", "hi") == (0, "hi\n", "")
        code, _, words = berth.exec_sync(container, "touch", "/vol/x")
        assert code and "Read-only" in words, words
    mounted = [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if f"{pod}/images/" in line]
    assert len(mounted) == 1, mounted
    status = berth.status(containers[0])
    assert status.mounts[0].image.image == IMAGE and status.mounts[0].host_path, status


def test_a_part_of_an_image(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "ls", "/vol", mounts=volume(image_sub_path="etc"))
    berth.wait_exited(container)
    assert "passwd" in berth.output(container)
    for path in ("../etc", "/etc", "no/such", "etc/passwd"):
        words = refused(lambda: berth.create(pod, "true", mounts=volume(image_sub_path=path)))
        assert f'"{path}"' in words, words


def test_what_is_refused(berth):
    pod = berth.run_pod()
    for wrong in ({"readonly": False}, {"host_path": "/tmp"}, {"image": {"image": "no/such:image"}},
                  {"image": {"image": ""}}):
        refused(lambda: berth.create(pod, "true", mounts=volume(**wrong)))


def test_it_holds_its_layers_over_removal_and_restart_until_the_pod_stops(berth):
    pod = berth.run_pod()
    berth.run(pod, "sleep", "100", mounts=volume())
    berth.images.RemoveImage(image={"image": IMAGE})
    berth.restart()
    layers = berth.dir / "root" / "layers"
    folders = lambda: [f for f in layers.iterdir() if f.is_dir() and not f.name.startswith(".")]
    assert len(folders()) == 1
    berth.remove_pod(pod)
    wait_for(lambda: not folders(), what="the removal of the layer")


def test_a_berthd_that_was_killed_before_it_mounted_it_does_so_later(berth):
    pod = berth.run_pod()
    berth.remove(berth.create(pod, "true", mounts=volume()))
    mount, = (berth.dir / "run" / "pods" / pod / "images").glob("*[!s]")
    berth.kill_daemon()
    subprocess.run(["umount", mount], check=True)
    berth.start_daemon()
    container = berth.run(pod, "/vol/bin/echo", "there", mounts=volume())
    assert berth.wait_exited(container).exit_code == 0
    layers = berth.dir / "root" / "layers"
    berth.images.RemoveImage(image={"image": IMAGE})
    berth.remove_pod(pod)
    wait_for(lambda: not [f for f in layers.iterdir() if f.is_dir() and not f.name.startswith(".")], what="the removal")
