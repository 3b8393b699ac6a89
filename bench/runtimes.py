# SPDX-License-Identifier: Apache-2.0
"""The runtimes that are compared, each with a private configuration: same registry, same network,
same OCI runtime."""
import json
import os
import pathlib
import shutil
import subprocess

import images

GO_VERSION = "2.3.4"  # of the containerd that is built from source
NAMES = ("berth", "containerd-debian", "containerd-2")


def conflist(folder):
    bridge = {"type": "bridge", "bridge": "bench0", "isGateway": True, "ipMasq": True,
              "ipam": {"type": "host-local", "dataDir": f"{folder}/addresses",
                       "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "bench", "plugins": [bridge, portmap]}


class Runtime:
    """One runtime in a folder; its socket is in there."""

    def __init__(self, folder, programs, crun="", wrapper=""):
        self.folder, self.programs, self.crun = pathlib.Path(folder), pathlib.Path(programs), crun
        self.socket = f"{folder}/s.sock"

    def write_common(self, port):
        """The network and where the registry is."""
        network, certs = self.folder / "net.d", self.folder / "certs.d" / images.HOST
        network.mkdir()
        certs.mkdir(parents=True)
        (network / "10-bench.conflist").write_text(json.dumps(conflist(self.folder)))
        address = f"http://127.0.0.1:{port}"
        (certs / "hosts.toml").write_text(
            f'server = "{address}"\n[host."{address}"]\ncapabilities = ["pull", "resolve"]\n')

    def environment(self):
        return dict(os.environ, PATH=f"{self.programs}:{os.environ['PATH']}")


class Berth(Runtime):
    label = "Berth"

    def version(self):
        out = subprocess.run([self.programs / "berthd", "--version"], capture_output=True, text=True, check=True).stdout
        return out.split()[-1]

    def command(self, log_level="info"):
        folder = self.folder
        (folder / "config.yaml").write_text(f"""root: {folder}/root
state: {folder}/run
socket: {self.socket}
log_level: {log_level}
default_runtime: crun
runtimes:
  crun:
    path: {self.crun}
cni:
  conf_dir: {folder}/net.d
  bin_dirs: [/usr/lib/cni]
  cache_dir: {folder}/cni-cache
registry:
  config_path: {folder}/certs.d
image:
  helper: {self.programs}/berth-image
shim: {self.programs}/containerd-shim-berth-v2
""")
        return [self.programs / "berthd", "--config", folder / "config.yaml"]


class Containerd(Runtime):
    """Either of the two: their configurations differ in the names of plugins."""
    number = 2
    plugin = image_plugin = "io.containerd.grpc.v1.cri"
    bin_dirs = 'bin_dir = "/usr/lib/cni"'
    pause = f'[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "{images.PAUSE}"\nrestrict_oom_score_adj = true'

    def version(self):
        command = [self.programs / "containerd", "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2].removeprefix("v")

    def command(self):
        folder = self.folder
        (folder / "config.toml").write_text(f"""version = {self.number}
root = "{folder}/root"
state = "{folder}/run"
[grpc]
address = "{self.socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"
{self.pause}
[plugins."{self.plugin}".cni]
conf_dir = "{folder}/net.d"
{self.bin_dirs}
[plugins."{self.image_plugin}".registry]
config_path = "{folder}/certs.d"
[plugins."{self.plugin}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."{self.plugin}".containerd.runtimes.runc.options]
BinaryName = "{self.crun}"
""")
        return [self.programs / "containerd", "--config", folder / "config.toml"]


def crun_version(crun):
    words = subprocess.run([crun, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return tuple(int(part) for part in words[2].split(".")[:2])


class ContainerdDebian(Containerd):
    label = "containerd (Debian)"


class Containerd2(Containerd):
    label = "containerd 2"
    number = 3
    older_crun = (1, 9)  # refuses the version that this one writes
    plugin, image_plugin = "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"
    bin_dirs = 'bin_dirs = ["/usr/lib/cni"]'
    pause = f'[plugins."io.containerd.cri.v1.images".pinned_images]\nsandbox = "{images.PAUSE}"\n'
    pause += f'[plugins."{plugin}"]\nrestrict_oom_score_adj = true'


    def __init__(self, folder, programs, crun="", wrapper=""):
        needed = crun and crun_version(crun) < self.older_crun
        super().__init__(folder, programs, wrapper if needed else crun, wrapper)


CLASSES = {"berth": Berth, "containerd-debian": ContainerdDebian, "containerd-2": Containerd2}


def build_containerd(folder):
    """From the Go module proxy; None where there is no Go, or it does not work."""
    command = ["go", "install", "-trimpath", "-p=2", "-tags", "no_btrfs no_zfs no_devmapper", "-ldflags",
               f"-s -w -X github.com/containerd/containerd/v2/version.Version={GO_VERSION}"]
    command += [f"github.com/containerd/containerd/v2/cmd/{name}@v{GO_VERSION}"
                for name in ("containerd", "containerd-shim-runc-v2")]
    environment = dict(os.environ, GOBIN=str(folder), CGO_ENABLED="0", GOFLAGS="", GOTOOLCHAIN="local")
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise RuntimeError("containerd 2 could not be built: " + (done.stderr.strip().splitlines() or ["?"])[-1])


def find(name, build, cache, fetch=True):
    """The folder of a runtime's programs, or None when it cannot be had."""
    if name == "berth":
        return build
    folder = cache / ("containerd-debian" if name == "containerd-debian" else f"containerd-{GO_VERSION}")
    if not fetch and not folder.exists():
        return None
    if name == "containerd-debian":
        return images.once(folder, lambda fresh: images.unpack_packages(fresh, "containerd")) / "usr" / "bin"
    if not folder.exists() and not shutil.which("go"):
        return None
    return images.once(folder, build_containerd)
