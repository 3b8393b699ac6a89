# SPDX-License-Identifier: Apache-2.0
"""No room for records: what runs can be stopped, nothing that was said is untrue, also after a
restart, and all goes on when there is room again."""
import contextlib
import os
import subprocess

import grpc

STARTED = False


@contextlib.contextmanager
def small_disk(berth):
    root = berth.dir / "root"
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", root], check=True)
    try:
        berth.start_daemon()
        yield root
    finally:
        berth.remove_pods()
        berth.stop_daemon()
        berth.channel = None
        subprocess.run(["umount", "-l", root], check=True)


def fill(root):
    """To the last byte: also the pages that the log has taken and not used yet."""
    with open(root / "full", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def fails(call):
    try:
        call()
    except grpc.RpcError as e:
        return e.details()
    return ""


def test_what_runs_can_be_stopped(berth):
    with small_disk(berth) as root:
        pod = berth.run_pod(host_network=True)
        stopped, ended = berth.run(pod, "sleep", "1000"), berth.sh(pod, "read x; exit 5", stdin=True)
        fill(root)
        words = ""
        for i in range(500):  # until the log cannot grow any more
            words = fails(lambda: berth.create(pod, "true", name=f"c{i}"))
            if words:
                break
        assert "full" in words or "No space" in words, words
        fill(root)
        berth.stop(stopped)
        assert berth.status(stopped).exit_code == 137
        assert berth.state(ended) == "CONTAINER_RUNNING"
        os.kill(berth.pid(ended), 9)
        assert berth.wait_exited(ended).exit_code == 137
        assert "which could not be recorded" in berth.log_file.read_text()
        before = {c.id: c.state for c in berth.runtime.ListContainers().containers}
        berth.restart()
        assert {c.id: c.state for c in berth.runtime.ListContainers().containers} == before
        (root / "full").unlink()
        assert not fails(lambda: berth.create(pod, "true", name="again"))
