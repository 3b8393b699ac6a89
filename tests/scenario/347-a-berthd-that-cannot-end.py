# SPDX-License-Identifier: Apache-2.0
"""A berthd that is killed while a disk holds a thread of it in the kernel stays as long as the disk likes, with
all that it has open. The next one does not wait for it."""
import contextlib
import subprocess
import threading

import grpc

from berth import PATIENCE, program, wait_for
from stuck import Stuck


def create_in_vain(berth, pod, disk):
    mounts = [{"host_path": str(disk.folder / "below"), "container_path": "/x"}]
    with contextlib.suppress(grpc.RpcError, ValueError):  # it was killed, or the channel closed
        berth.create(pod, "true", name="stuck", mounts=mounts)


def state_of(process):
    """That of its first thread."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def test_the_next_one_serves(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "1000")
    disk, held = Stuck(berth.dir / "disk"), berth.daemon
    try:
        threading.Thread(target=create_in_vain, args=(berth, pod, disk), daemon=True).start()
        assert disk.asked.wait(PATIENCE)
        held.kill()
        berth.disconnect()
        wait_for(lambda: state_of(held) == "Z", what="the end of its other threads")
        berth.start_daemon()
        assert held.poll() is None, "the disk did not hold it"
        assert "passed over" in berth.log_file.read_text(encoding="utf-8")
        assert berth.state(container) == "CONTAINER_RUNNING" and berth.exec_sync(container, "echo", "hi")[1] == "hi\n"
        second = subprocess.run([program("berthd"), "--config", str(berth.dir / "config.yaml")],
                                capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert second.returncode == 1 and "another berthd" in second.stderr, second
    finally:
        disk.close()
    assert held.wait(PATIENCE) < 0
    berth.restart()
    assert berth.state(container) == "CONTAINER_RUNNING"
