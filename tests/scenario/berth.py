# SPDX-License-Identifier: Apache-2.0
"""A private berthd for one scenario, and a CRI client on an independent gRPC stack.

Everything is in one temporary folder. close() removes the pods, stops berthd, and tells what is
left behind: leaks are failures. The runner has put us in a network namespace of our own.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import grpc
import yaml

import cgroups
import leaks
import protocol

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BERTH_BUILD", TOP / "build"))
IMAGE = "localhost/busybox:latest"
BRIDGE = "berth0"
SUBNET = "10.89.0.0/24"
RUNTIME = os.environ.get("BERTH_SCENARIO_RUNTIME", "crun")
EXEC = os.environ.get("BERTH_SCENARIO_EXEC", "auto")

# In seconds. How long we wait for what is to come: only who waits in vain waits so long, so it is far
# more than the slowest machine needs. And within what must come that may not wait for something else:
# in such a test the something else does not end by itself, or much later than that.
PATIENCE = float(os.environ.get("BERTH_SCENARIO_PATIENCE", "60"))
SOON = PATIENCE / 2


def program(name):
    """The path of one of our programs in the build folder."""
    return str(next(p for p in [BUILD / name, *BUILD.glob(f"src/*/{name}")] if p.is_file()))


def wait_for(condition, timeout=PATIENCE, what="it"):
    """Calls until something true comes back, and returns that."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {timeout} s")
        time.sleep(0.02)
    return value


class Berth:
    def __init__(self, config=None, image=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="berth-scenario-"))
        self.socket = self.dir / "berth.sock"
        self.logs = self.dir / "logs"
        self.image = image  # an OCI layout to import at the first start
        self.cgroup_parent = cgroups.parent("berth-scenario")
        self.ids = set()  # of all pods and containers there ever were
        self.daemon = None
        self.channel = None
        self.names = 0
        (self.dir / "net.d").mkdir()
        self.write_network()
        self.config = {
            "root": str(self.dir / "root"),
            "state": str(self.dir / "run"),
            "socket": str(self.socket),
            "log_level": "debug",
            "default_runtime": RUNTIME,
            "cgroup_driver": cgroups.DRIVER,
            "runtimes": {name: {"path": shutil.which(name), "exec": EXEC} for name in ("crun", "runc")},
            "cni": {"conf_dir": str(self.dir / "net.d"), "bin_dirs": ["/usr/lib/cni"],
                    "cache_dir": str(self.dir / "cni-cache")},
            "registry": {"config_path": str(self.dir / "certs.d")},
            "image": {"helper": program("berth-image")},
            "shim": program("containerd-shim-berth-v2"),
        }
        self.config.update(config or {})

    def write_network(self, *more_plugins):
        """The pod network: a bridge, a private range, host ports. More plugins go behind those."""
        bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": False,
                  "ipam": {"type": "host-local", "dataDir": str(self.dir / "addresses"),
                           "ranges": [[{"subnet": SUBNET}]], "routes": [{"dst": "0.0.0.0/0"}]}}
        portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
        conflist = {"cniVersion": "1.0.0", "name": "scenario", "plugins": [bridge, portmap, *more_plugins]}
        (self.dir / "net.d" / "10-scenario.conflist").write_text(json.dumps(conflist))

    # --- the daemon

    @property
    def log_file(self):
        return self.dir / "berthd.log"

    def start_daemon(self, wait=True):
        cgroups.make_parent(self.cgroup_parent)
        (self.dir / "config.yaml").write_text(yaml.safe_dump(self.config))
        with open(self.log_file, "a", encoding="utf-8") as log:
            # Another build of it, such as one that looks for races.
            berthd = os.environ.get("BERTH_DAEMON") or program("berthd")
            self.daemon = subprocess.Popen([berthd, "--config", str(self.dir / "config.yaml")],
                                           stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        if not wait:
            return
        wait_for(self.answers, what="an answer on berthd's socket")
        self.connect()
        if self.image:
            self.import_image(self.image)
            self.image = None

    def connect(self):
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 16 << 20)]
        self.channel = grpc.insecure_channel(f"unix:{self.socket}", options)
        self.runtime = protocol.Service(self.channel, "runtime.v1.RuntimeService")
        self.images = protocol.Service(self.channel, "runtime.v1.ImageService")
        self.node = protocol.Service(self.channel, "berth.v1.Node")

    def answers(self):
        """This one: a child of one that was killed has its socket until it comes to its exec."""
        if self.daemon.poll() is not None:
            raise RuntimeError(f"berthd ended with status {self.daemon.returncode}")
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(str(self.socket)) != 0:
                return False
            pid, _, _ = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return pid == self.daemon.pid

    def kill_daemon(self):
        """kill -9: nothing is told, nothing is tidied."""
        self.daemon.kill()
        self.daemon.wait()
        self.disconnect()

    def stop_daemon(self, timeout=PATIENCE):
        self.daemon.send_signal(signal.SIGTERM)
        self.disconnect()
        return self.daemon.wait(timeout)

    def restart(self):
        self.kill_daemon()
        self.start_daemon()

    def disconnect(self):
        if self.channel:
            self.channel.close()
        self.channel = None

    def ctl(self, *args, **more):
        """Runs berthctl; returns what subprocess.run() does."""
        command = [program("berthctl"), "--socket", str(self.socket), *map(str, args)]
        more.setdefault("timeout", 2 * PATIENCE)
        return subprocess.run(command, capture_output=True, text=True, check=False, **more)

    def import_image(self, path, name=""):
        return list(self.node.ImportImage(path=str(path), name=name))[-1].image_id

    # --- pods and containers

    def name(self, kind):
        self.names += 1
        return f"{kind}{self.names}"

    def pod_config(self, name=None, host_network=False, **more):
        name = name or self.name("pod")
        namespaces = {"pid": "CONTAINER", "network": "NODE" if host_network else "POD"}
        linux = {"cgroup_parent": self.cgroup_parent, "security_context": {"namespace_options": namespaces}}
        linux.update(more.pop("linux", {}))
        log_directory = self.logs / name
        return {"metadata": {"name": name, "uid": f"uid-{name}", "namespace": "scenario"},
                "log_directory": str(log_directory), "linux": linux, **more}

    def run_pod(self, name=None, handler="", **more):
        config = self.pod_config(name, **more)
        pod = self.runtime.RunPodSandbox(config=config, runtime_handler=handler).pod_sandbox_id
        self.ids.add(pod)
        return pod

    def create(self, pod, *args, name=None, pod_linux=None, **more):
        """Creates a container of the busybox image that runs args; pod_linux is what run_pod() got as linux."""
        name = name or self.name("c")
        config = {"metadata": {"name": name}, "image": {"image": IMAGE}, "args": list(args),
                  "log_path": f"{name}.log", **more}
        metadata = self.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.metadata
        sandbox = {"metadata": metadata, "log_directory": str(self.logs / metadata.name),
                   "linux": {"cgroup_parent": self.cgroup_parent, **(pod_linux or {})}}
        container = self.runtime.CreateContainer(
            pod_sandbox_id=pod, config=config, sandbox_config=sandbox).container_id
        self.ids.add(container)
        return container

    def start(self, container):
        self.runtime.StartContainer(container_id=container)
        return container

    def run(self, pod, *args, **more):
        return self.start(self.create(pod, *args, **more))

    def sh(self, pod, script, **more):
        return self.run(pod, "sh", "-c", script, **more)

    def status(self, container):
        return self.runtime.ContainerStatus(container_id=container).status

    def state(self, container):
        return protocol.enum_name("runtime.v1.ContainerState", self.status(container).state)

    def wait_exited(self, container, timeout=PATIENCE):
        wait_for(lambda: self.state(container) == "CONTAINER_EXITED", timeout, f"the exit of {container[:12]}")
        return self.status(container)

    def pid(self, container):
        answer = self.runtime.ContainerStatus(container_id=container, verbose=True)
        return json.loads(answer.info["info"])["pid"]

    def shim_pid(self, pod):
        answer = self.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True)
        return json.loads(answer.info["info"])["pid"]

    def exec_sync(self, container, *cmd, timeout=int(PATIENCE)):
        """(exit code, standard output, standard error)"""
        answer = self.runtime.ExecSync(container_id=container, cmd=list(cmd), timeout=timeout)
        return answer.exit_code, answer.stdout.decode(), answer.stderr.decode()

    def stop(self, container, timeout=0):
        self.runtime.StopContainer(container_id=container, timeout=timeout)

    def remove(self, container):
        self.runtime.RemoveContainer(container_id=container)

    def remove_pod(self, pod):
        self.runtime.StopPodSandbox(pod_sandbox_id=pod)
        self.runtime.RemovePodSandbox(pod_sandbox_id=pod)

    def log(self, container):
        """The lines of the CRI log file: (stream, tag, text)."""
        lines = pathlib.Path(self.status(container).log_path).read_text(encoding="utf-8").splitlines()
        return [tuple(line.split(" ", 3)[1:]) for line in lines]

    def output(self, container, stream="stdout"):
        """What the container wrote to that stream so far, as its log file has it."""
        return "".join(text + ("\n" if tag == "F" else "") for s, tag, text in self.log(container) if s == stream)

    # --- the end

    def remove_pods(self):
        for pod in self.runtime.ListPodSandbox().items:
            self.ids.add(pod.id)
            self.remove_pod(pod.id)

    def close(self):
        """Removes and stops everything; returns sentences about what is left."""
        left = []
        if self.daemon and self.daemon.poll() is None and self.channel is None:
            self.kill_daemon()
        if self.daemon and self.daemon.poll() is not None and self.daemon.returncode == -signal.SIGKILL:
            self.start_daemon()
        if self.channel:
            self.remove_pods()
            status = self.stop_daemon()
            if status:
                left.append(f"berthd ended with status {status}")
        return left + leaks.find(self) + self.races()

    def races(self):
        """What the thread sanitizer says, if BERTH_DAEMON is built with it."""
        log = self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""
        _, found, words = log.partition("WARNING: ThreadSanitizer")
        return (found + words)[:6000].splitlines()

    def discard(self):
        """After close(), or instead of it when that failed: leaves nothing, by force."""
        self.disconnect()
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        leaks.remove(self)
