# SPDX-License-Identifier: Apache-2.0
"""One runtime, measured once: run in namespaces of its own by bench/run, with a plan as JSON.

Whatever is still there at the end, processes, mounts, links, ends with the namespaces. Prints one
line of JSON for each series.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import images
import runtimes

PORT = 5000
PATIENCE = 60


def enter():
    """As on a node, but with nothing in /run and /var/lib/cni, and without what others have mounted in /tmp:
    the number of mounts is part of what a container costs."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]
    subprocess.run(["umount", "--lazy", "--quiet", *(m for m in reversed(mounts) if m.startswith("/tmp/")), "/none"],
                   check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["mount", "--make-rshared", "/"], check=True)
    for folder in ("/run", "/var/lib/cni"):
        if os.path.isdir(folder):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder], check=True)
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


class Session:
    def __init__(self, plan):
        self.plan = plan
        self.folder = pathlib.Path(plan["work"])
        self.logs = pathlib.Path("/run/bench-logs")  # in memory, so that no disk is measured
        self.logs.mkdir()
        self.runtime = runtimes.CLASSES[plan["runtime"]](self.folder, plan["programs"], plan["crun"],
                                                          plan["wrapper"])
        self.runtime.write_common(PORT)
        self.daemon = self.registry = None
        self.names = 0

    def start_registry(self):
        config = self.folder / "registry.yaml"
        config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": self.plan["storage"]},
                        "maintenance": {"readonly": {"enabled": True}}},
            "http": {"addr": f"127.0.0.1:{PORT}"}}))
        with open(self.folder / "registry.log", "w", encoding="utf-8") as log:
            self.registry = subprocess.Popen([self.plan["registry"], "serve", config], stdout=log, stderr=log)

    def start_daemon(self):
        """Returns when it was started, by the monotonic clock."""
        command = self.runtime.command(**self.plan.get("more", {}))
        with open(self.folder / "daemon.log", "a", encoding="utf-8") as log:
            begun = time.monotonic()
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                           env=self.runtime.environment())
        return begun

    def stop_daemon(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(PATIENCE)

    def driver(self, work, *arguments, rounds=1, image=images.BUSYBOX):
        self.names += 1
        return [self.plan["driver"], "--socket", self.runtime.socket, "--image", image, "--logs", self.logs,
                "--cgroup-parent", self.plan["cgroup_parent"], "--prefix", f"{work}{self.names}-",
                "--rounds", str(rounds), "--daemon", str(self.daemon.pid if self.daemon else 1),
                *map(str, arguments), work]

    def parse(self, output, prefix=""):
        for line in output.splitlines():
            series = json.loads(line)
            print(json.dumps(dict(series, name=prefix + series["name"])), flush=True)

    def measure(self, work, *arguments, prefix="", **more):
        done = subprocess.run(self.driver(work, *arguments, **more), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        self.parse(done.stdout, prefix)

    def wait_answer(self, pods):
        """Starts the daemon; returns the seconds until it listed that many pods."""
        waiting = subprocess.Popen(self.driver("answer", rounds=max(pods, 1)), stdout=subprocess.PIPE, text=True)
        time.sleep(0.1)
        begun = self.start_daemon()
        answer = json.loads(waiting.communicate(timeout=PATIENCE)[0])
        return answer["samples"][0] - begun

    def prepare(self):
        self.start_registry()
        self.start_daemon()
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.measure("pull", image=images.BUSYBOX, prefix="small/")
            except RuntimeError:
                if time.monotonic() > end or self.daemon.poll() is not None:
                    raise
                time.sleep(0.2)

    def pods(self):
        for network, flags in (("bridge", ()), ("host", ("--host-network",))):
            self.measure("pods", *flags, rounds=2, prefix=f"{network}-warm/")
            self.measure("pods", *flags, rounds=self.plan["one"], prefix=f"{network}/")
            self.measure("pods", *flags, "--at-once", 10, rounds=self.plan["many"], prefix=f"{network}-10/")

    def many(self):
        """What is asked of a node with many pods."""
        n = self.plan["fill"]
        self.measure("fill", "--at-once", 10, rounds=n)
        time.sleep(2)
        self.measure("memory", rounds=n)
        self.measure("idle", "--seconds", self.plan["idle"])
        self.measure("exec", rounds=self.plan["exec"])
        self.measure("stream", rounds=self.plan["exec"])
        self.measure("queries", rounds=self.plan["queries"])
        self.measure("log", "--seconds", self.plan["log"])
        self.stop_daemon()
        took = self.wait_answer(n)
        print(json.dumps({"name": "restart", "unit": "ms", "samples": [took * 1000]}), flush=True)

    def sent(self):
        """Bytes that the registry has written to anybody."""
        io = pathlib.Path(f"/proc/{self.registry.pid}/io").read_text(encoding="ascii")
        return int(io.split("wchar:")[1].split()[0])

    def pull(self):
        """The big image, the same with zstd, and the same ten times at once."""
        for prefix, image, flags in (("", images.BIG, ()), ("zstd/", images.ZSTD, ()),
                                     ("ten/", images.TWIN, ("--at-once", 10))):
            os.sync()
            before = self.sent()
            self.measure("pull", *flags, image=image, prefix=prefix)
            size = self.plan["sizes"]["zstd" if image == images.ZSTD else "packed"]
            print(json.dumps({"name": f"{prefix}fetched", "unit": "× its bytes",
                              "samples": [(self.sent() - before) / size]}), flush=True)

    def run(self):
        self.prepare()
        for part in self.plan["parts"]:
            getattr(self, part)()


def main():
    plan = json.loads(sys.argv[1])
    enter()
    session = Session(plan)
    try:
        session.run()
    except Exception as error:  # the log is gone with the folder
        log = (session.folder / "daemon.log")
        tail = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
        print("\n".join([f"{plan['runtime']}: {error}", *tail]), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
