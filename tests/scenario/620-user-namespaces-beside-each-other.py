# SPDX-License-Identifier: Apache-2.0
"""Pods of different user namespaces on one image of several layers, over restarts and deaths."""
import json
import os
import shutil
import signal
import subprocess

from berth import TOP, wait_for
from userns import COUNT, FIRST, HANDLERS, Pod, add_layers, mapping, owner

NAME = "localhost/layered:latest"


def import_layered(berth):
    """Three layers, of which the last hides a file of the second, and a VOLUME that is in two."""
    folder = berth.dir / "layered"
    subprocess.run([TOP / "scripts/make-busybox-image", folder], check=True)
    add_layers(folder, NAME, [{"data": (5, None), "data/a": (6, "a\n"), "gone": (0, "x"), "hers": (7, "h\n")},
                              {"data/b": (0, "b\n"), ".wh.gone": (0, "")}], Volumes={"/data": {}})
    berth.import_image(folder)
    shutil.rmtree(folder)


def test_pods_of_other_ids_share_an_image_and_a_restart_changes_nothing(berth):
    import_layered(berth)
    pods = [Pod(berth, handler, mapping(FIRST + i * COUNT)) for i, handler in enumerate(2 * HANDLERS)]
    image = {"image": {"image": NAME}}
    early = [pod.start("touch /mine; echo made; sleep 100", **image) for pod in pods]
    late = [pod.create("stat -c %u /hers /data /data/a /data/b; ls /gone; sleep 100", **image) for pod in pods]
    berth.restart()
    for i, pod in enumerate(pods):
        first = FIRST + i * COUNT
        pod.wait_output(early[i], "made")
        assert berth.exec_sync(early[i], "stat", "-c", "%u", "/mine", "/hers") == (0, "0\n7\n", "")
        berth.start(late[i])
        assert pod.wait_output(late[i], "0\n").split() == ["7", "5", "6", "0"]
        assert pod.output("cat /proc/self/uid_map").split() == ["0", str(first), str(COUNT)]
        of_container = berth.dir / "root" / "containers" / early[i]
        assert owner(of_container / "upper" / "mine") == (first, first)
        assert owner(of_container / "volumes" / "0") == (first + 5, first + 5)
    spaces = [os.stat(berth.dir / "run" / "pods" / pod.id / "ns" / "user").st_ino for pod in pods]
    assert len(set(spaces)) == len(pods)


def test_an_image_of_several_layers_is_a_volume(berth):
    import_layered(berth)
    mounts = [{"container_path": "/vol", "readonly": True, "image": {"image": NAME}}]
    for i, handler in enumerate(HANDLERS):
        pod = Pod(berth, handler, mapping(FIRST + i * COUNT))
        words = pod.output("stat -c %u /vol/hers /vol/data/a; cat /vol/data/b; ls /vol/gone; touch /vol/x", mounts=mounts)
        assert words.startswith("7\n6\nb\n") and "/vol/gone: No such" in words and "Read-only" in words, words
        assert not list((berth.dir / "run" / "pods" / pod.id / "images").glob("*.mapped"))


def test_ids_of_the_image_that_the_pod_does_not_have(berth):
    import_layered(berth)
    pod = Pod(berth, ids=mapping(FIRST, 7))
    words = pod.output("id -u; stat -c %u /hers; echo x >> /hers; cat /hers", image={"image": NAME}, mounts=[
        {"container_path": "/data", "host_path": str(berth.dir)}])
    assert words.startswith("0\n65534\nh\n") and "can't create /hers" in words, words


def wait_not_ready(berth, pod):
    wait_for(lambda: berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1, what="NOTREADY")


def test_a_killed_shim_or_init_ends_it_and_removal_leaves_nothing(berth):
    for pids in ("CONTAINER", "POD"):
        for down in (False, True):
            pod = Pod(berth, pid=pids)
            container = pod.start("sleep 1000")
            answer = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod.id, verbose=True)
            if down:
                berth.kill_daemon()
            os.kill(json.loads(answer.info["info"])["pid"], signal.SIGKILL)
            if down:
                berth.start_daemon()
            assert berth.wait_exited(container).exit_code == 137
            wait_not_ready(berth, pod.id)
            berth.remove_pod(pod.id)
            assert not (berth.dir / "run" / "pods" / pod.id).exists()
