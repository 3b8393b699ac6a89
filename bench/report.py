# SPDX-License-Identifier: Apache-2.0
"""What the numbers say: a table, a page of documentation and a plot."""
import os
import platform
import statistics
import subprocess
import time

import plot
import runtimes

# (what, series, statistic, goal): the goal is an upper limit, or a lower one where more is better.
ROWS = (
    ("pod up, bridge", "bridge/pod_up", "median", 45),
    ("pod up, bridge, p99", "bridge/pod_up", "p99", None),
    ("pod up, host network", "host/pod_up", "median", 15),
    ("pod up, host network, p99", "host/pod_up", "p99", None),
    ("pods up per second, 10 at once, bridge", "bridge-10/pods_up_per_s", "median", 35),
    ("pods up per second, 10 at once, host network", "host-10/pods_up_per_s", "median", 75),
    ("pod down, bridge", "bridge/pod_down", "median", 95),
    ("pod down, host network", "host/pod_down", "median", 12),
    ("pods down per second, 10 at once, bridge", "bridge-10/pods_down_per_s", "median", None),
    ("pods down per second, 10 at once, host network", "host-10/pods_down_per_s", "median", None),
    ("ExecSync `true`", "exec_sync", "median", 4),
    ("ExecSync `true`, p99", "exec_sync", "p99", None),
    ("ExecSync `true`, 0.2 s apart", "exec_sync_apart", "median", None),
    ("Exec `true` and its stream", "exec_stream", "median", 8),
    ("Exec `true` and its stream, p99", "exec_stream", "p99", None),
    ("ListContainers", "list_containers", "median", 0.10),
    ("PodSandboxStatus", "pod_status", "median", 0.07),
    ("ListContainerStats", "list_container_stats", "median", 5),
    ("log, lines of 100 bytes", "log", "median", 300),
    ("daemon, PSS", "daemon_pss", "median", 7),
    ("monitors of a pod, PSS", "monitors_pss_per_pod", "median", 0.25),
    ("daemon, CPU in 10 idle seconds", "idle_cpu", "median", 0.005),
    ("restart to the first list", "restart", "median", 50),
    ("pull", "pull", "median", 4),
    ("pull, layers with zstd", "zstd/pull", "median", 4),
    ("ten pulls of one image at once", "ten/pull", "median", 4),
    ("… what the registry sends", "ten/fetched", "median", 1.1),
    ("… memory of who pulls, peak", "ten/pull_memory", "median", 64),
    ("daemon, private memory that a pull adds", "pull_daemon_growth", "median", 0.2),
)
MORE_IS_BETTER = {"1/s", "MB/s"}


def quantile(values, q):
    values, at = sorted(values), q * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def summary(samples, statistic):
    return quantile(samples, 0.99 if statistic == "p99" else 0.5)


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), platform.machine())
    crun = subprocess.run(["crun", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return {"cpus": os.cpu_count(), "cpu": cpu, "kernel": platform.release().split("-")[0],
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
            "crun": crun.removeprefix("crun version "), "date": time.strftime("%Y-%m-%d"),
            "load": os.getloadavg()[0]}


def number(value):
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.1 else f"{value:.2g}"


def lines(results):
    """(what, unit, goal, {runtime: value}, {peer: (ratio, lowest, highest)}) of each row; a ratio is how many times
    better Berth is, repetition by repetition."""
    for what, key, statistic, goal in ROWS:
        runs, unit = results["series"].get(key, {}), results["units"].get(key, "")
        values = {name: summary([x for samples in runs[name] for x in samples], statistic) for name in runs}
        ratios = {}
        for peer in runs:
            if peer == "berth" or "berth" not in runs:
                continue
            pairs = [(summary(a, statistic), summary(b, statistic)) for a, b in zip(runs["berth"], runs[peer])]
            if unit in MORE_IS_BETTER:
                pairs = [(b, a) for a, b in pairs]
            each = [b / a for a, b in pairs if a > 0 and b > 0]
            if each:
                ratios[peer] = statistics.median(each), min(each), max(each)
        if values:
            yield what, unit, goal, values, ratios


def misses(value, unit, goal):
    return goal is not None and value is not None and (value < goal if unit in MORE_IS_BETTER else value > goal)


def cell_of_goal(unit, goal):
    return "" if goal is None else ("≥ " if unit in MORE_IS_BETTER else "≤ ") + number(goal)


def table(results):
    """Rows of cells; the first is the head."""
    names = [name for name in runtimes.NAMES if name in results["versions"]]
    peers = [name for name in names if name != "berth"]
    labels = [f"{runtimes.CLASSES[name].label} {results['versions'][name]}" for name in names]
    rows = [["", "unit", "goal", *labels, *(f"× {runtimes.CLASSES[name].label}" for name in peers)]]
    for what, unit, goal, values, ratios in lines(results):
        mark = " !" if misses(values.get("berth"), unit, goal) else ""
        row = [what, unit, cell_of_goal(unit, goal)]
        row += [number(values.get(name)) + (mark if name == "berth" else "") for name in names]
        for peer in peers:
            ratio = ratios.get(peer)
            row.append(f"{ratio[0]:.3g} ({ratio[1]:.3g}–{ratio[2]:.3g})" if ratio else "")
        rows.append(row)
    return rows


def text(results):
    rows = table(results)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    note = "× how many times better Berth is: median of the repetitions, lowest and highest.  ! misses its goal"
    return "\n".join([*shown, note])


def write_page(results, docs):
    rows, here = table(results), results["machine"]
    size = results["image"]
    markdown = ["| " + " | ".join(row) + " |" for row in rows]
    markdown.insert(1, "|---" * len(rows[0]) + "|")
    repetitions = max((len(runs) for by_name in results["series"].values() for runs in by_name.values()), default=0)
    remarks = (docs.parent / "bench" / "remarks.md").read_text(encoding="utf-8")
    page = f"""# Performance

<!-- bench/run writes this page: `make bench`. The remarks at the end are those of bench/remarks.md. -->

Berth beside its peers on one machine, in one run: {here['cpus']} CPUs ({here['cpu']}), {here['memory_gb']} GB, Linux
{here['kernel']}, crun {here['crun']} under all of them, {here['date']}, load average {here['load']:.1f} when it ended. `make bench` does the
same on yours.

![how many times better Berth is](performance.svg)

{chr(10).join(markdown)}

Times are medians where nothing else is said. × tells how many times better Berth is than the peer: the median over
the repetitions, and in parentheses the lowest and the highest. ! stands at what misses its goal.

## How it was taken

One driver, `bench/driver`, speaks CRI to each runtime in turn, {repetitions} times round, so that what else the machine
does hits all alike. Each time the runtime starts in new namespaces, with empty folders, the same registry on loopback,
the same network (bridge, host-local, portmap) and the same OCI runtime. A pod has one container that sleeps, with a
PID namespace of its own as the kubelet asks for; up is RunPodSandbox, CreateContainer and StartContainer; down is
StopContainer without patience, RemoveContainer, StopPodSandbox and RemovePodSandbox. Exec, list, status, stats,
memory, idle CPU and restart are with {results['pods']} pods. ExecSync is asked for again at once, and, as probes do
it, after a pause. The stream of an exec is its URL, a connection, a
WebSocket, and all that comes until the end is told. Monitors are all processes that stay with a pod besides its containers:
shims and pause. The log is on a tmpfs, and its MB/s are the growth of the file, with time and stream before each line.
The image of the pull has {size.get('layers', 0)} layers, {size.get('packed', 0) / 1e6:.0f} MB with gzip, {size.get('zstd', 0) / 1e6:.0f} MB with zstd and {size.get('unpacked', 0) / 1e6:.0f} MB unpacked. The
ten pulls at once are of its files in other blobs, with a connection each. The memory of who pulls is the peak of what
is resident: of the image processes together, or of the daemon where that pulls. What a pull adds to the daemon is what
is left of it three seconds later. A restart is SIGTERM, then the time
from the start of the program to its list of all pods.

{remarks}"""
    (docs / "performance.md").write_text(page, encoding="utf-8")
    (docs / "performance.svg").write_text(plot.ratios(list(lines(results))), encoding="utf-8")
