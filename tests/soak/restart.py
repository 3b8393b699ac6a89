#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long after its exec a berthd with many pods answers: the socket, and the list of all pods.

usage: tests/soak/restart.py [--pods N] [--containers] [--rounds N]
"""
import argparse
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenario"))
import alone  # pylint: disable=wrong-import-position


def measure(berth, n):
    from berth import wait_for
    berth.kill_daemon()
    start = time.monotonic()
    berth.start_daemon(wait=False)
    while not berth.answers():
        time.sleep(0.0005)
    connected = time.monotonic() - start
    berth.connect()
    listed = len(berth.runtime.ListPodSandbox(filter={"state": {"state": 0}}).items)
    answered = time.monotonic() - start
    assert listed == n, f"{listed} of {n} pods are ready"
    wait_for(berth.runtime.Status, what="Status")
    return connected, answered


def main(options, image):
    from berth import Berth
    berth = Berth({"log_level": "warn"}, image)
    berth.start_daemon()

    def make(_):
        pod = berth.run_pod(host_network=True)
        if options.containers:
            berth.run(pod, "sleep", "100000")

    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(options.pods)))
    print(f"{options.pods} pods made in {time.monotonic() - start:.1f} s")
    times = sorted(measure(berth, options.pods) for _ in range(options.rounds))
    for name, i in (("connected", 0), ("first list of all pods", 1)):
        ms = sorted(1000 * t[i] for t in times)
        print(f"{name}: median {ms[len(ms) // 2]:.0f} ms, worst {ms[-1]:.0f} ms after exec")
    left = berth.close()
    berth.discard()
    print("\n".join(left))
    return bool(left)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pods", type=int, default=500)
    parser.add_argument("--containers", action="store_true", help="one that runs in every pod")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    with alone.environment() as busybox:
        sys.exit(main(args, busybox))
