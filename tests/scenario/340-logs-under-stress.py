# SPDX-License-Identifier: Apache-2.0
"""Log files: made at the start, half lines at a rotation, full disks, folders that are not there."""
import array
import fcntl
import os
import pathlib
import subprocess
import termios

from berth import wait_for
from gate import Gate


def texts(path):
    return [tuple(line.split(" ", 3)[1:]) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def test_the_file_is_made_at_the_start_and_stays_after_the_removal(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.create(pod, "echo", "hi", log_path="deep/er/x.log")
    path = pathlib.Path(berth.status(container).log_path)
    assert not path.exists()
    berth.start(container)
    berth.wait_exited(container)
    assert path.stat().st_mode & 0o777 == 0o640 and path.parent.stat().st_mode & 0o777 == 0o755
    berth.remove(container)
    assert texts(path) == [("stdout", "F", "hi")]


def unread(berth, container):
    """How many bytes of its standard output the shim has not read yet."""
    count = array.array("i", [0])
    with open(f"/proc/{berth.pid(container)}/fd/1", "rb", buffering=0) as pipe:
        fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def test_a_rotation_ends_a_half_line_in_the_old_file(berth):
    gate = Gate(berth)
    container = berth.sh(berth.run_pod(host_network=True), f"printf half; touch /said; {gate.wait}; echo ' rest'; sleep 100",
                         mounts=[gate.mount])
    path = pathlib.Path(berth.status(container).log_path)
    wait_for(lambda: berth.exec_sync(container, "ls", "/said")[0] == 0 and not unread(berth, container), what="half a line")
    os.rename(path, f"{path}.1")
    berth.runtime.ReopenContainerLog(container_id=container)
    assert path.exists()
    gate.open()
    wait_for(lambda: texts(path), what="the rest")
    assert texts(f"{path}.1") == [("stdout", "P", "half")] and texts(path) == [("stdout", "F", " rest")]


def test_a_reopen_that_fails_changes_nothing(berth):
    gate = Gate(berth)
    container = berth.sh(berth.run_pod(host_network=True), f"echo one; {gate.wait}; echo two; sleep 100", mounts=[gate.mount])
    path = pathlib.Path(berth.status(container).log_path)
    wait_for(lambda: path.exists() and texts(path), what="one")
    os.rename(path, f"{path}.1")
    path.mkdir()
    try:
        berth.runtime.ReopenContainerLog(container_id=container)
    except Exception as e:
        assert str(path) in str(e), e
    else:
        raise AssertionError("it was reopened")
    gate.open()
    wait_for(lambda: len(texts(f"{path}.1")) == 2, what="two in the old file")


def test_a_full_disk_does_not_hold_up_the_container(berth):
    folder = berth.logs / "full"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    try:
        pod = berth.run_pod(name="full", host_network=True)
        container = berth.sh(pod, "i=0; while [ $i -lt 20000 ]; do echo a line of some length $i; i=$((i+1)); done; exit 6")
        assert berth.wait_exited(container).exit_code == 6
        berth.remove_pod(pod)
    finally:
        subprocess.run(["umount", folder], check=True)


def test_both_streams_of_many_lines_are_whole_and_in_order(berth):
    container = berth.sh(berth.run_pod(host_network=True),
                         "i=0; while [ $i -lt 3000 ]; do echo $i; echo $i >&2; i=$((i+1)); done")
    berth.wait_exited(container)
    for stream in ("stdout", "stderr"):
        assert berth.output(container, stream) == "".join(f"{i}\n" for i in range(3000)), stream
