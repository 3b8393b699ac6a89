#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether memory stays flat: what berthd and one shim have, before and after many execs and many pods.
PSS is what they weigh, but changes with others who share their pages: growth is judged by what is theirs
alone and written to.

usage: tests/soak/flat.py [--execs N] [--pods N]
"""
import argparse
import json
import os
import pathlib
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenario"))
import alone  # pylint: disable=wrong-import-position

GROWTH_MAX_KIB = 1024


def look(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    kib = lambda key: int(re.search(rf"^{key}: *(\d+)", rollup, re.M)[1])
    return kib("Private_Dirty"), kib("Pss"), len(os.listdir(f"/proc/{pid}/fd"))


def tell(when, pids):
    seen = {name: look(pid) for name, pid in pids.items()}
    print(f"{when}: " + ", ".join(f"{name} {own} KiB of its own, PSS {pss} KiB, {fds} fds" for name, (own, pss, fds) in seen.items()))
    sys.stdout.flush()
    return seen


def repeat(n, threads, work):
    start = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work) for _ in range(n)]:
            done.result()
    return time.monotonic() - start


def main(options, image):
    from berth import Berth
    berth = Berth({"log_level": "warn"}, image)
    berth.start_daemon()
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sleep", "100000")
    info = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"]
    pids = {"berthd": berth.daemon.pid, "shim": json.loads(info)["pid"]}

    def execute():
        assert berth.exec_sync(container, "echo", "hi") == (0, "hi\n", "")

    def live():
        one = berth.run_pod(host_network=True)
        berth.wait_exited(berth.run(one, "true"))
        berth.remove_pod(one)

    # Until the heap and SQLite's cache have the size that they keep.
    repeat(1000, 4, execute)
    repeat(300, 4, live)
    before = tell("warm", pids)
    print(f"{options.execs} execs in {repeat(options.execs, 4, execute):.0f} s")
    tell("after the execs", pids)
    print(f"{options.pods} pods in {repeat(options.pods, 4, live):.0f} s")
    after = tell("after the pods", pids)
    left = berth.close()
    berth.discard()
    left += [f"{name} grew by {after[name][0] - before[name][0]} KiB" for name in pids
             if after[name][0] - before[name][0] > GROWTH_MAX_KIB]
    left += [f"{name} has {after[name][2] - before[name][2]} more descriptors" for name in pids
             if after[name][2] > before[name][2] + 4]
    print("\n".join(left))
    return bool(left)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--execs", type=int, default=10000)
    parser.add_argument("--pods", type=int, default=1000)
    args = parser.parse_args()
    with alone.environment() as busybox:
        sys.exit(main(args, busybox))
