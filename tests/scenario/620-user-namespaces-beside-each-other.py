# SPDX-License-Identifier: Apache-2.0
"""Pods of different user namespaces, over restarts, to the end."""
import os

from userns import COUNT, FIRST, HANDLERS, Pod, mapping, owner


def test_pods_of_other_ids_share_an_image_and_a_restart_changes_nothing(berth):
    pods = [Pod(berth, handler, mapping(FIRST + i * COUNT)) for i, handler in enumerate(2 * HANDLERS)]
    early = [pod.start("touch /mine; sleep 100") for pod in pods]
    late = [pod.create("stat -c %u /bin/busybox; touch /late; sleep 100") for pod in pods]
    berth.restart()
    for i, pod in enumerate(pods):
        assert berth.exec_sync(early[i], "stat", "-c", "%u", "/mine", "/bin/busybox") == (0, "0\n0\n", "")
        berth.start(late[i])
        assert pod.wait_output(late[i], "0") == "0\n"
        assert pod.output("cat /proc/self/uid_map").split() == ["0", str(FIRST + i * COUNT), str(COUNT)]
        upper = berth.dir / "root" / "containers" / early[i] / "upper"
        assert owner(upper / "mine") == (FIRST + i * COUNT, FIRST + i * COUNT)
    ns = [os.stat(berth.dir / "run" / "pods" / pod.id / "ns" / "user").st_ino for pod in pods]
    assert len(set(ns)) == len(pods)
