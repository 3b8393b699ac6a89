# SPDX-License-Identifier: Apache-2.0
"""The images of the benchmark, in the storage folder of a docker-registry.

They are made once, below build/bench, from Debian packages that are unpacked and not installed. The
storage is written as docker-registry itself would have written it, so nothing has to be pushed.
"""
import concurrent.futures
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import shutil
import subprocess
import tarfile

TOP = pathlib.Path(__file__).resolve().parent.parent
HOST = "bench.local"  # a name that hosts.toml sends to the registry on loopback
BUSYBOX, PAUSE, BIG, ZSTD, TWIN = (f"{HOST}/{name}:1" for name in ("busybox", "pause", "big", "zstd", "twin"))
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
# About 400 MB packed and 900 MB unpacked; one line is one layer.
BIG_LAYERS = (
    ("openjdk-17-jre-headless", "libicu72"),
    ("libreoffice-core", "texlive-base", "git"),
    ("openjdk-17-jdk-headless", "gcc-12", "g++-12", "cpp-12"),
    ("chromium",),
)
BIG_ID = hashlib.sha256(repr(BIG_LAYERS).encode()).hexdigest()[:12]
GZIP_TIME = 4  # where a gzip stream has the time of its making, which nobody looks at
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Storage:
    """The folder of a docker-registry."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder, "docker", "registry", "v2")

    def link(self, *where, digest):
        path = self.root.joinpath("repositories", *where, "link")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("sha256:" + digest)

    def take(self, path):
        """Moves a file among the blobs; returns its digest and size."""
        with open(path, "rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        size = os.path.getsize(path)
        data = self.blob(digest)
        data.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, data)
        return digest, size

    def store(self, data):
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "new"
        path.write_bytes(data)
        return self.take(path)

    def blob(self, digest):
        return self.root / "blobs" / "sha256" / digest[:2] / digest / "data"

    def layers(self, name):
        """(packed file, digest of what is in it) of each layer of an image."""
        repository, tag = name.removeprefix(HOST + "/").split(":")
        link = self.root / "repositories" / repository / "_manifests" / "tags" / tag / "current" / "link"
        read = lambda digest: json.loads(self.blob(digest.removeprefix("sha256:")).read_text())
        manifest = read(link.read_text())
        packed = [self.blob(layer["digest"].removeprefix("sha256:")) for layer in manifest["layers"]]
        diffs = [diff.removeprefix("sha256:") for diff in read(manifest["config"]["digest"])["rootfs"]["diff_ids"]]
        return list(zip(packed, diffs))

    def add_image(self, name, layers, command, packed_by="gzip"):
        """layers: as layers() gives them; the files are taken."""
        repository, tag = name.removeprefix(HOST + "/").split(":")
        config = {"architecture": ARCHITECTURE, "os": "linux", "config": {"Cmd": command, "Env": ["PATH=/bin"]},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + diff for _, diff in layers]}}
        blobs = [(CONFIG_TYPE, *self.store(json.dumps(config).encode()))]
        blobs += [(LAYER_TYPE + packed_by, *self.take(path)) for path, _ in layers]
        for _, digest, _ in blobs:
            self.link(repository, "_layers", "sha256", digest, digest=digest)
        described = [{"mediaType": kind, "digest": "sha256:" + digest, "size": size} for kind, digest, size in blobs]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described[0], "layers": described[1:]}
        digest, _ = self.store(json.dumps(manifest).encode())
        manifests = (repository, "_manifests")
        self.link(*manifests, "revisions", "sha256", digest, digest=digest)
        self.link(*manifests, "tags", tag, "current", digest=digest)
        self.link(*manifests, "tags", tag, "index", "sha256", digest, digest=digest)
        return sum(size for _, _, size in blobs)


class Hashed(io.RawIOBase):
    """Counts and hashes what passes on to another file."""

    def __init__(self, to):
        super().__init__()
        self.to, self.hash, self.size = to, hashlib.sha256(), 0

    def writable(self):
        return True

    def write(self, data):
        self.hash.update(data)
        self.size += len(data)
        self.to.write(data)
        return len(data)


def pack(folder, out):
    """Packs a folder; returns the digest and the size of what is in it."""
    with open(out, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        through = Hashed(packed)
        with tarfile.open(fileobj=through, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            tar.add(folder, arcname=".", filter=own)
        return through.hash.hexdigest(), through.size


def own(info):
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


def apt_get(*arguments, cwd):
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *arguments]
    if subprocess.run(command, cwd=cwd, check=False, stderr=subprocess.DEVNULL).returncode:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(command, cwd=cwd, check=True)


def unpack_packages(target, *packages):
    """Their files below target; no maintainer script runs."""
    debs = pathlib.Path(f"{target}.debs")
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir(parents=True)
    pathlib.Path(target).mkdir(parents=True, exist_ok=True)
    apt_get("download", *packages, cwd=debs)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "-x", deb, target], check=True)
    shutil.rmtree(debs)


def fresh_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def once(folder, make):
    """Calls make(fresh folder) unless that was done before."""
    if not folder.exists():
        fresh = fresh_folder(folder.with_name(folder.name + ".new"))
        make(fresh)
        fresh.rename(folder)
    return folder


def make_small(folder):
    """busybox, and the pause program that containerd runs in each pod."""
    storage, layout = Storage(folder), folder / "layout"
    subprocess.run([TOP / "scripts" / "make-busybox-image", layout], check=True)
    read = lambda d: json.loads((layout / "blobs" / "sha256" / d["digest"].split(":")[1]).read_text())
    manifest = read(json.loads((layout / "index.json").read_text())["manifests"][0])
    diff = read(manifest["config"])["rootfs"]["diff_ids"][0].split(":")[1]
    packed = layout / "blobs" / "sha256" / manifest["layers"][0]["digest"].split(":")[1]
    storage.add_image(BUSYBOX, [(packed, diff)], ["sh"])
    shutil.rmtree(layout)
    tree = fresh_folder(folder / "tree")
    source = TOP / "tests" / "conformance" / "images" / "pause.c"
    subprocess.run(["gcc", "-Os", "-s", "-static", "-o", tree / "pause", source], check=True)
    diff, _ = pack(tree, folder / "layer")
    storage.add_image(PAUSE, [(folder / "layer", diff)], ["/pause"])
    shutil.rmtree(tree)


def make_big(folder):
    def layer(number):
        tree = folder / f"layer{number}"
        unpack_packages(tree, *BIG_LAYERS[number])
        out = folder / f"layer{number}.gz"
        diff, size = pack(tree, out)
        shutil.rmtree(tree)
        return out, diff, size

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        layers = list(pool.map(layer, range(len(BIG_LAYERS))))
    packed = Storage(folder).add_image(BIG, [layer[:2] for layer in layers], ["/bin/true"])
    sizes = {"packed": packed, "unpacked": sum(size for *_, size in layers), "layers": len(layers)}
    (folder / "sizes.json").write_text(json.dumps(sizes))


def make_more(folder, big):
    """The big image twice more: packed with zstd, and with gzip as other blobs. In other orders, so that whoever has
    one of the three has no layer of the others."""
    storage, layers = Storage(folder), Storage(big).layers(BIG)

    def pack_with_zstd(packed, diff):
        out = folder / f"{diff}.zst"
        with open(out, "wb") as file, subprocess.Popen(["gzip", "-dc", packed], stdout=subprocess.PIPE) as plain:
            subprocess.run(["zstd", "-q", "-3", "-T0"], stdin=plain.stdout, stdout=file, check=True)
        return out, diff

    def copy(packed, diff):
        out = folder / f"{diff}.gz"
        shutil.copyfile(packed, out)
        with open(out, "r+b") as file:
            file.seek(GZIP_TIME)
            file.write(b"twin")
        return out, diff

    size = storage.add_image(ZSTD, [pack_with_zstd(*layer) for layer in layers[1:] + layers[:1]], ["/bin/true"], "zstd")
    storage.add_image(TWIN, [copy(*layer) for layer in layers[2:] + layers[:2]], ["/bin/true"])
    (folder / "size").write_text(str(size))


def registry_storage(cache, with_big):
    """The storage folder with the images in it: small, or all, as hard links."""
    parts = [once(cache / "small", make_small)]
    if with_big:
        parts.append(once(cache / f"big-{BIG_ID}", make_big))
        parts.append(once(cache / f"more-{BIG_ID}", lambda fresh: make_more(fresh, parts[1])))
    storage = fresh_folder(cache / "storage")
    for part in parts:
        shutil.copytree(part / "docker", storage / "docker", copy_function=os.link, dirs_exist_ok=True)
    return storage


def registry_program(cache):
    folder = once(cache / "docker-registry", lambda fresh: unpack_packages(fresh, "docker-registry"))
    return folder / "usr" / "bin" / "docker-registry"


def big_sizes(cache):
    """Of the big image; empty before it is made."""
    sizes, zstd = cache / f"big-{BIG_ID}" / "sizes.json", cache / f"more-{BIG_ID}" / "size"
    return dict(json.loads(sizes.read_text()), zstd=int(zstd.read_text())) if zstd.exists() else {}
