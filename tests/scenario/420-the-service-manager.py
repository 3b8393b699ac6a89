# SPDX-License-Identifier: Apache-2.0
"""Who starts berthd is told when it serves, and nobody below it hears of that."""
import os
import socket

from berth import PATIENCE

STARTED = False


def test_it_is_told_and_containers_start(berth):
    path = str(berth.dir / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(PATIENCE)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            berth.start_daemon()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        assert manager.recv(100) == b"READY=1"
        pod = berth.run_pod()
        container = berth.sh(pod, "sleep 100")
        assert berth.exec_sync(container, "env")[1].count("NOTIFY_SOCKET") == 0
        berth.remove_pod(pod)
        assert berth.stop_daemon() == 0
        assert manager.recv(100) == b"STOPPING=1"
