# SPDX-License-Identifier: Apache-2.0
"""A CRI client that behaves as the kubelet does while berthd comes and goes: it asks again, with the
same words, until it has an answer; and a broken promise is a finding that ends the run."""
import pathlib
import socket
import threading
import time

import grpc

import protocol
from berth import IMAGE

Code = grpc.StatusCode
AWAY = (Code.UNAVAILABLE, Code.CANCELLED)  # berthd is down, or comes up
PATIENCE = 90  # seconds until what is asked again and again counts as hung
CALL_TIMEOUT = 45
OPTIONS = [("grpc.use_local_subchannel_pool", 1)]


class Broken(Exception):
    """A promise that was not kept."""


class World:
    """What all players share: the doomed pods, whose shim somebody has killed, and the findings."""

    def __init__(self, berth):
        self.berth = berth
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.doomed = set()
        self.findings = []
        self.counts = {}

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def doom(self, pod):
        with self.lock:
            self.doomed.add(pod)

    def is_doomed(self, pod):
        with self.lock:
            return pod in self.doomed

    def found(self, words):
        with self.lock:
            self.findings.append(words)
        self.stop.set()


class Client:
    def __init__(self, world):
        self.world = world
        self.berth = world.berth
        self.connect()

    def connect(self):
        self.channel = grpc.insecure_channel(f"unix:{self.berth.socket}", OPTIONS)
        self.runtime = protocol.Service(self.channel, "runtime.v1.RuntimeService")

    def reconnect(self):
        """By a new channel as soon as somebody listens: one that has failed waits before it tries again."""
        self.channel.close()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as s:
                if s.connect_ex(str(self.berth.socket)) == 0:
                    break
            time.sleep(0.005)
        self.connect()

    def close(self):
        self.channel.close()

    def call(self, method, **fields):
        """Asks until somebody answers."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return getattr(self.runtime, method)(rpc_timeout=CALL_TIMEOUT, **fields)
            except grpc.RpcError as e:
                if e.code() == Code.DEADLINE_EXCEEDED:
                    raise Broken(f"{method} {fields} had no answer in {CALL_TIMEOUT} s") from e
                if e.code() not in AWAY or time.monotonic() > end or self.world.findings:
                    raise
                self.reconnect()

    # --- pods

    def find_pod(self, metadata):
        for item in self.call("ListPodSandbox").items:
            if all(getattr(item.metadata, key) == value for key, value in metadata.items()):
                return item
        return None

    def run_pod(self, config):
        """The pod of that name, made by this request or by an earlier one that nobody answered."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                pod = self.call("RunPodSandbox", config=config).pod_sandbox_id
                break
            except grpc.RpcError as e:
                if e.code() not in (Code.FAILED_PRECONDITION, Code.UNKNOWN):
                    raise
                words = e
            item = self.find_pod(config["metadata"])
            if item and item.state == 0:
                pod = item.id
                break
            if item:
                self.remove_pod(item.id)
            elif words.code() == Code.UNKNOWN and not self.world.doomed:
                raise Broken(f"RunPodSandbox: {words.details()}")
            time.sleep(0.02)
        else:
            raise Broken(f"pod {config['metadata']['name']} cannot be run: {words.details()}")
        with self.world.lock:
            self.berth.ids.add(pod)
        return pod

    def is_ready(self, pod):
        return self.call("PodSandboxStatus", pod_sandbox_id=pod).status.state == 0

    def remove_pod(self, pod):
        self.until_done("StopPodSandbox", pod_sandbox_id=pod)
        self.until_done("RemovePodSandbox", pod_sandbox_id=pod)
        if any(item.id == pod for item in self.call("ListPodSandbox").items):
            raise Broken(f"pod {pod} is listed after its removal")

    def until_done(self, method, **fields):
        """What must succeed at last, however often it was cut off before. Beside a removal that an
        earlier request began, another may be refused for a while."""
        end = time.monotonic() + 20
        while True:
            try:
                return self.call(method, **fields)
            except grpc.RpcError as e:
                if time.monotonic() > end:
                    raise Broken(f"{method} {fields}: {e.details()}") from e
                self.world.count(f"{method} asked again")
                time.sleep(0.1)

    # --- containers

    def create(self, pod, pod_config, config):
        """The container of that name, likewise. None: the pod has ended."""
        sandbox = {key: pod_config[key] for key in ("metadata", "log_directory", "linux")}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                container = self.call("CreateContainer", pod_sandbox_id=pod, config=config,
                                      sandbox_config=sandbox).container_id
                break
            except grpc.RpcError as e:
                if self.world.is_doomed(pod):
                    return None
                if e.code() != Code.FAILED_PRECONDITION:
                    raise Broken(f"CreateContainer in a living pod: {e.details()}") from e
            found = [c for c in self.call("ListContainers", filter={"pod_sandbox_id": pod}).containers
                     if c.metadata.name == config["metadata"]["name"]]
            if found:
                container = found[0].id
                break
            time.sleep(0.02)
        else:
            raise Broken(f"container {config['metadata']['name']} cannot be created")
        with self.world.lock:
            self.berth.ids.add(container)
        return container

    def start(self, pod, container):
        """False: the pod has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.call("StartContainer", container_id=container)
                return True
            except grpc.RpcError as e:
                words = e.details()
            status = self.status(container)
            if status.state in (1, 2) and status.reason != "StartError":
                return True  # an earlier request did it
            if self.world.is_doomed(pod):
                return False
            if status.state == 2:
                raise Broken(f"a start in a living pod has failed: {status.message}")
            time.sleep(0.02)
        raise Broken(f"container {container} cannot be started: {words}")

    def status(self, container):
        try:
            return self.call("ContainerStatus", container_id=container).status
        except grpc.RpcError as e:
            raise Broken(f"container {container} is lost: {e.details()}") from e

    def remove_container(self, container):
        self.until_done("RemoveContainer", container_id=container)

    def wait_exited(self, container):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status = self.status(container)
            if status.state == 2:
                return status
            time.sleep(0.05)
        raise Broken(f"container {container} should have ended: it is {status}")


def container_config(name, script, **more):
    return {"metadata": {"name": name}, "image": {"image": IMAGE}, "command": ["sh", "-c", script],
            "log_path": f"{name}.log", **more}


def read_log(path):
    """The texts of a CRI log file's lines; a record that is not one breaks the promise."""
    lines, half = [], ""
    text = pathlib.Path(path).read_text(encoding="utf-8") if pathlib.Path(path).exists() else ""
    if text and not text.endswith("\n"):
        raise Broken(f"{path} ends within a record: {text[-80:]!r}")
    for record in text.splitlines():
        parts = record.split(" ", 3)
        if len(parts) != 4 or parts[1] not in ("stdout", "stderr") or parts[2] not in "PF":
            raise Broken(f"{path} has a damaged record: {record!r}")
        half += parts[3]
        if parts[2] == "F":
            lines.append(half)
            half = ""
    return lines


def check_numbered(path, count=None):
    """Lines 0, 1, 2 …, none missing, none twice; with a count, exactly so many."""
    lines = read_log(path)
    wanted = [f"line {i}" for i in range(len(lines) if count is None else count)]
    if lines != wanted:
        first = next((i for i, (a, b) in enumerate(zip(lines, wanted)) if a != b), min(len(lines), len(wanted)))
        raise Broken(f"{path} has {len(lines)} lines of {count}; at {first} is {lines[first - 1:first + 2]}")
    return len(lines)
