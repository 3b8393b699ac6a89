#!/usr/bin/env python3
"""Builds every image that critest names into one OCI layout, from unpacked Debian packages.

usage: build.py PACKAGES PROGRAMS LAYOUT
  PACKAGES  folder with Debian packages unpacked on top of each other
  PROGRAMS  folder with the compiled pause and nonewprivs
  LAYOUT    OCI layout to write; each image has its reference name as annotation
Prints the reference names.

The same input gives the same bytes: entries are sorted, times are zero.
"""
import functools
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
E2E = "e2e-test-images/"
CRI = "k8s-staging-cri-tools/"
OCI = "application/vnd.oci.image."
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PASSWD = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n" \
         "nobody:x:65534:65534:nobody:/home:/bin/false\n"
GROUP = "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"


class Layer:
    """Files of one layer, as tar entries by path."""

    def __init__(self):
        self.entries = {}

    def add(self, path, kind, mode, data=b"", target=""):
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.directory(parent)
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.linkname, info.size = kind, mode, target, len(data)
        self.entries[path] = (info, data)

    def directory(self, path, mode=0o755):
        self.add(path, tarfile.DIRTYPE, mode)

    def file(self, path, data, mode=0o644):
        self.add(path, tarfile.REGTYPE, mode, data.encode() if isinstance(data, str) else data)

    def symbolic_link(self, path, target):
        self.add(path, tarfile.SYMTYPE, 0o777, target=target)

    def hard_link(self, path, target):
        self.add(path, tarfile.LNKTYPE, self.entries[target][0].mode, target=target)

    @functools.cache
    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            # A hard link comes after its target.
            for info, data in sorted(self.entries.values(), key=lambda e: (e[0].type == tarfile.LNKTYPE, e[0].name)):
                archive.addfile(info, io.BytesIO(data))
        return out.getvalue()

    @functools.cache
    def gzip(self):
        return gzip.compress(self.tar(), mtime=0)


class Packages:
    """Programs from the unpacked packages, with the shared libraries that they need."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.libraries = {p.name: p for f in ("lib", "usr/lib") for p in (self.root / f).glob("*-linux-*/*.so*")}

    def needed(self, path):
        lines = subprocess.run(["readelf", "-ld", path], check=True, capture_output=True, text=True).stdout.split("\n")
        names = [line.split("[")[1].split("]")[0] for line in lines if "(NEEDED)" in line]
        return names + [os.path.basename(line.split(": ")[1].rstrip("]")) for line in lines if "interpreter:" in line]

    def install(self, layer, source, path):
        program = self.root / source
        layer.file(path, program.read_bytes(), 0o755)
        queue = self.needed(program)
        while queue:
            name = queue.pop()
            library = self.libraries[name]
            # The interpreter is asked for at its full path, the others are found by name.
            place = ("lib64/" if name.startswith("ld-linux-x86") else "lib/") + name
            if place not in layer.entries:
                layer.file(place, library.read_bytes(), 0o755)
                queue += self.needed(library)


class Layout:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        (self.path / "blobs/sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.manifests = []

    def blob(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (self.path / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": OCI + media_type, "digest": "sha256:" + digest, "size": len(data)}

    def json(self, value, media_type):
        return self.blob(json.dumps(value, sort_keys=True).encode(), media_type)

    def manifest(self, layers, config, arch):
        diff_ids = ["sha256:" + hashlib.sha256(layer.tar()).hexdigest() for layer in layers]
        image = {"architecture": arch, "os": "linux", "created": "1970-01-01T00:00:00Z",
                 "config": {"Env": [PATH], **config},
                 "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        return self.json({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                          "config": self.json(image, "config.v1+json"),
                          "layers": [self.blob(layer.gzip(), "layer.v1.tar+gzip") for layer in layers]},
                         "manifest.v1+json")

    def image(self, names, layers, config, index=False):
        """Adds one image under each of the names; index: behind an image index that names other machines too."""
        top = self.manifest(layers, config, ARCH)
        if index:
            other = "s390x"
            variants = [{**self.manifest(layers, config, other), "platform": {"architecture": other, "os": "linux"}},
                        {**top, "platform": {"architecture": ARCH, "os": "linux"}}]
            top = self.json({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": variants},
                            "index.v1+json")
        print(*names, sep="\n")
        self.manifests += [{**top, "annotations": {"org.opencontainers.image.ref.name": n}} for n in names]

    def close(self):
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.manifests}))


def busybox_layer(packages):
    layer = Layer()
    for folder in ("dev", "etc", "home", "proc", "root", "run", "sys", "usr", "var"):
        layer.directory(folder)
    layer.directory("tmp", 0o1777)
    layer.symbolic_link("var/run", "../run")
    layer.file("etc/passwd", PASSWD)
    layer.file("etc/group", GROUP)
    packages.install(layer, "bin/busybox", "bin/busybox")
    applets = subprocess.run([packages.root / "bin/busybox", "--list"], check=True, capture_output=True, text=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            layer.hard_link("bin/" + applet, "bin/busybox")
    packages.install(layer, "usr/bin/pgrep", "bin/pgrep")
    packages.install(layer, "usr/bin/ipcs", "bin/ipcs")
    return layer


def nginx_layer(packages, listen):
    layer = Layer()
    packages.install(layer, "usr/sbin/nginx", "usr/sbin/nginx")
    layer.file("etc/nginx/nginx.conf", (HERE / "nginx.conf").read_text().replace("@LISTEN@", listen))
    layer.file("usr/share/nginx/html/index.html", "nginx\n")
    layer.directory("var/log/nginx")
    layer.directory("var/lib/nginx")
    return layer


def one_file(path, data, mode=0o644):
    layer = Layer()
    layer.file(path, data, mode)
    return layer


def main():
    packages, programs, layout = Packages(sys.argv[1]), pathlib.Path(sys.argv[2]), Layout(sys.argv[3])
    base = busybox_layer(packages)
    shell = {"Cmd": ["sh"]}
    nginx = {"Cmd": ["nginx", "-g", "daemon off;"], "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT"}
    httpd = {"Cmd": ["sh", "-c", "echo httpd: serving; exec httpd -f -p 80 -h /srv/www"]}

    layout.image([E2E + "busybox:1.29-2"], [base], shell, index=True)
    layout.image([E2E + "nginx:1.14-2"], [base, nginx_layer(packages, "80")], nginx, index=True)
    layout.image([E2E + "httpd:2.4.39-4"], [base, one_file("srv/www/index.html", "httpd\n")], httpd)
    layout.image([E2E + "nonewprivs:1.3"],
                 [base, one_file("nnp", (programs / "nonewprivs").read_bytes(), 0o4755)], {"Entrypoint": ["/nnp"]})
    layout.image(["pause:3.9"], [one_file("pause", (programs / "pause").read_bytes(), 0o755)],
                 {"Entrypoint": ["/pause"], "User": "65535:65535"}, index=True)
    layout.image([CRI + f"hostnet-nginx-{ARCH}:latest"], [base, nginx_layer(packages, "127.0.0.1:12003")], nginx)

    for names in (["test-image-latest:latest"], ["test-image-tag:test"], ["test-image-tag:all"],
                  ["test-image-1:latest"], ["test-image-2:latest"], ["test-image-3:latest"],
                  ["test-image-tags:1", "test-image-tags:2", "test-image-tags:3"]):
        marker = one_file("etc/image", names[0] + "\n")
        layout.image([CRI + n for n in names], [base, marker], shell)

    for name, user in (("uid", "1002"), ("username", "www-data"),
                       ("uid-group", "1003:50000"), ("username-group", "www-data:50000")):
        layout.image([CRI + f"test-image-user-{name}:latest"], [base], {**shell, "User": user})

    groups = one_file("etc/passwd", PASSWD + "default-user:x:1000:1000::/home:/bin/sh\n")
    groups.file("etc/group", GROUP + "default-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n")
    layout.image([CRI + "test-image-predefined-group:latest"], [base, groups], {**shell, "User": "1000"})
    layout.close()


main()
