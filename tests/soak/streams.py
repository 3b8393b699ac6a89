#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many execs and port-forward connections through the streaming server: are memory, threads and
descriptors of berthd and of the pod's shim flat, and how long does an exec of `true` take?

usage: tests/soak/streams.py [--execs N] [--connections N] [--tls]    with --tls of berth-tls, too
"""
import argparse
import importlib
import json
import os
import pathlib
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenario"))
import alone  # pylint: disable=wrong-import-position

GROWTH_MAX_KIB = 1024
PARTS = 10
WORKERS = 4


def look(pid):
    """(anonymous memory in KiB, descriptors, threads): libraries are shared with whoever else runs"""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
    return pss, len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task"))


def tell(when, pids):
    seen = {name: look(pid) for name, pid in pids.items()}
    print(f"{when}: " + ", ".join("%s %d KiB, %d fds, %d threads" % (name, *of) for name, of in seen.items()))
    sys.stdout.flush()
    return seen


def child(parent, name):
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = path.read_text(encoding="ascii", errors="replace").split(" (", 1)
        except OSError:
            continue
        if rest.startswith(name + ")") and int(rest.rsplit(")", 1)[1].split()[1]) == parent:
            return int(pid)
    raise RuntimeError(f"no {name}")


def execute(berth, container, transport):
    from streaming import run
    begun = time.monotonic()
    client = run(berth, container, "true", transport=transport)
    assert client.exit_code() == 0
    client.close()
    return (time.monotonic() - begun) * 1000


def soak_execs(berth, container, pids, total):
    from streaming import Spdy, WebSocket
    times = [execute(berth, container, Spdy) for _ in range(200)]
    print(f"exec of true, one at a time: median {statistics.median(times):.2f} ms, least {min(times):.2f} ms")
    tell("after these", pids)
    warm = {}
    for part in range(1, PARTS + 1):
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda i: execute(berth, container, (Spdy, WebSocket)[i % 2]), range(total // PARTS)))
        seen = tell(f"after {part * total // PARTS} execs", pids)
        warm = warm or seen
    return warm


def soak_connections(berth, pod, pids, total):
    from berth import wait_for
    from streaming import Spdy
    forwarding = importlib.import_module("230-port-forward")
    with forwarding.Server(berth, pod, 7000):
        for part in range(1, PARTS + 1):
            before = look(pids["berthd"])[1]
            client = Spdy(forwarding.forward(berth, pod), "portforward.k8s.io")
            streams = [forwarding.connect(client, 7000, i)[0] for i in range(total // PARTS)]
            for stream in streams:
                client.send(stream, b"abc" * 1000)
            wait_for(lambda: look(pids["berthd"])[1] >= before + total // PARTS, what="all connections")
            tell(f"{total // PARTS} connections are open", pids)
            for stream in streams:
                client.send(stream, end=True)
            client.receive(lambda: all(stream in client.ended for stream in streams))
            assert all(client.data[stream] == b"cba" * 1000 for stream in streams)
            client.close()
            wait_for(lambda: look(pids["berthd"])[1] <= before, what="the end of all connections")
    tell(f"after {total} connections", pids)


def main(options, image):
    from berth import Berth
    berth = Berth({"log_level": "warn", "streaming": {"tls": {"enabled": options.tls}}}, image)
    try:
        berth.start_daemon()
        pod = berth.run_pod()
        container = berth.run(pod, "sleep", "100000")
        info = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"]
        pids = {"berthd": berth.daemon.pid, "shim": json.loads(info)["pid"]}
        if options.tls:
            pids["berth-tls"] = child(berth.daemon.pid, "berth-tls")
        warm = soak_execs(berth, container, pids, options.execs)
        soak_connections(berth, pod, pids, options.connections)
        time.sleep(12)  # idle threads go
        after = tell("in the end", pids)
        left = berth.close()
        for name in pids:
            if after[name][0] > warm[name][0] + GROWTH_MAX_KIB or after[name][1] > warm[name][1] + 2:
                left.append(f"{name} has grown from {warm[name]} to {after[name]}")
        print("\n".join(left))
        return bool(left)
    finally:
        berth.discard()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--execs", type=int, default=10000)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--tls", action="store_true")
    args = parser.parse_args()
    with alone.environment() as busybox:
        sys.exit(main(args, busybox))
