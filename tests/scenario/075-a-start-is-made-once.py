# SPDX-License-Identifier: Apache-2.0
"""A start that berthd did not live to answer, and clients that ask again as soon as they can."""
import threading
import time

import grpc

ROUNDS, CLIENTS = 4, 16


def slow_runtime(berth):
    """Another berthd is there before what was started has run."""
    runtime = berth.config["runtimes"][berth.config["default_runtime"]]
    path, real = berth.dir / "slow", runtime["path"]
    path.write_text(f'#!/bin/sh\ncase "$*" in *" run "*) sleep 0.3;; *" start "*) sleep 0.3;; esac\nexec {real} "$@"\n')
    path.chmod(0o755)
    runtime["path"] = str(path)


def ask(berth, container, until):
    """Again and again; whatever is answered, the container must not run a second time."""
    while True:
        try:
            berth.runtime.StartContainer(container_id=container)
        except (grpc.RpcError, ValueError):
            pass
        if time.monotonic() > until:
            return


def test_nobody_starts_what_has_run(berth):
    berth.kill_daemon()
    slow_runtime(berth)
    berth.start_daemon()
    pod = berth.run_pod(host_network=True)
    for turn in range(ROUNDS):
        container = berth.create(pod, "echo", "once")
        first = threading.Thread(target=ask, args=(berth, container, time.monotonic() + 0.01))
        first.start()
        time.sleep(0.1)
        berth.kill_daemon()
        first.join()
        berth.start_daemon()
        until = time.monotonic() + 1.2
        clients = [threading.Thread(target=ask, args=(berth, container, until)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        berth.wait_exited(container)
        assert berth.output(container) == "once\n", f"turn {turn}: it ran more than once"
