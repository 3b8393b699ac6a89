# SPDX-License-Identifier: Apache-2.0
"""A real registry on a loopback port, filled by skopeo."""
import os
import pathlib
import signal
import socket
import subprocess
import time

import harness

CONFIG = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"{tls}}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Registry:
    def __init__(self, folder, tls=None):
        """tls: the files of a certificate and its key."""
        harness.need("docker-registry", "skopeo")
        self.folder = pathlib.Path(folder) / "registry"
        self.folder.mkdir()
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        tls = f', tls: {{certificate: "{tls[0]}", key: "{tls[1]}"}}' if tls else ""
        (self.folder / "config.yml").write_text(CONFIG.format(storage=self.folder / "data", port=self.port, tls=tls))
        self.run = None

    def __enter__(self):
        with open(self.folder / "log", "wb") as log:
            self.run = subprocess.Popen(["docker-registry", "serve", self.folder / "config.yml"],
                                        stdout=log, stderr=log, env=dict(os.environ, OTEL_TRACES_EXPORTER="none"))
        for _ in range(500):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise RuntimeError("the registry does not start")

    def __exit__(self, *_):
        self.run.send_signal(signal.SIGKILL)
        self.run.wait()

    def push(self, source, name, *options):
        """source is skopeo's, such as oci:/path:tag."""
        subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", *options,
                        source, f"docker://{self.host}/{name}"], check=True)
        return f"{self.host}/{name}"

    def asked(self):
        """(method, path, version, status) of each request by berth."""
        lines = (self.folder / "log").read_text().splitlines()
        return [(*line.split('"')[1].split(), line.split('"')[2].split()[0]) for line in lines if '"berth/' in line]

    def data(self, digest):
        """Where the registry keeps that blob."""
        return self.folder / f"data/docker/registry/v2/blobs/sha256/{digest[7:9]}/{digest[7:]}/data"
