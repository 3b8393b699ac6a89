# SPDX-License-Identifier: Apache-2.0
"""For the tests of berth-image: makes images out of tar bytes, runs jobs, looks at what came out.

A test file defines functions test_*, each given a fresh folder, and ends with harness.main().
"""
import functools
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import ssl
import stat
import subprocess
import sys
import tarfile
import tempfile
import traceback

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("BERTH_IMAGE", os.environ.get("BERTH_BUILD", f"{TOP}/build") + "/berth-image")
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Skip(Exception):
    pass


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"no {tool} here")


# --- making images ---


class Layout:
    """An OCI image layout in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.entries = []
        (self.folder / "blobs/sha256").mkdir(parents=True)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data, media_type, **more):
        digest = sha256(data)
        (self.folder / "blobs/sha256" / digest[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def json_blob(self, value, media_type, **more):
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def image(self, *layers, diff_ids=None, config=None, compress=functools.partial(gzip.compress, mtime=0), **more):
        """Adds an image of these tar archives; returns its descriptor. Equal layers are equal blobs."""
        body = {"architecture": "amd64", "os": "linux", "config": {},
                "rootfs": {"type": "layers", "diff_ids": diff_ids or [sha256(layer) for layer in layers]}}
        body.update(config or {})
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.json_blob(body, CONFIG),
                    "layers": [self.blob(compress(layer), LAYER + "+gzip") for layer in layers]}
        return self.json_blob(manifest, MANIFEST, **more)

    def add(self, descriptor, name=None):
        if name:
            descriptor = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}}
        self.entries.append(descriptor)
        self.write_index()
        return descriptor

    def write_index(self):
        (self.folder / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries}))


def entry(name, kind="0", data=b"", **fields):
    """(TarInfo, data), the mode and time being fixed."""
    info = tarfile.TarInfo(name)
    info.type = kind.encode()
    info.size = len(data)
    info.mode = 0o755 if kind == "5" else 0o644
    info.mtime = 1000000000
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def make_tar(*entries, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data) if data else None)
    return out.getvalue()


def make_tls(folder, names="IP:127.0.0.1", days="2"):
    """What a server needs to speak TLS, and the file of its certificate."""
    need("openssl")
    certificate, key, request, extensions = (pathlib.Path(folder) / f"server.{end}" for end in ("pem", "key", "csr", "ext"))
    extensions.write_text(f"subjectAltName={names}\n")
    for command in (["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", key, "-out", request],
                    ["x509", "-req", "-in", request, "-signkey", key, "-days", days, "-extfile", extensions, "-out", certificate]):
        subprocess.run(["openssl", *command], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


# --- running jobs ---


class Outcome:
    def __init__(self, code, events):
        self.code, self.events = code, events
        self.images = [e for e in events if e["event"] == "image"]
        self.errors = [e for e in events if e["event"] == "error"]

    def message(self):
        return self.errors[0]["message"] if self.errors else ""


def start(job):
    run = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    run.stdin.write(json.dumps(job).encode())
    run.stdin.close()
    return run


def run_job(job):
    run = start(job)
    events = [json.loads(line) for line in run.stdout]
    return Outcome(run.wait(), events)


def import_path(root, path, name="", **more):
    return run_job({"op": "import", "root": str(root), "path": str(path), "name": name, **more})


def unpack(folder, *layers, **options):
    """Imports one image made of these tar archives; returns the outcome and its layers' folders."""
    layout = Layout(tempfile.mkdtemp(dir=folder))
    layout.add(layout.image(*layers, **options))
    root = pathlib.Path(folder) / "root"
    outcome = import_path(root, layout.folder)
    folders = []
    if outcome.images:
        folders = [root / "layers" / layer["chain_id"][7:] / "fs" for layer in outcome.images[0]["layers"]]
    return outcome, folders


def unpack_one(folder, *entries, **options):
    """The folder of an image's only layer, which has to unpack."""
    outcome, folders = unpack(folder, make_tar(*entries), **options)
    assert outcome.code == 0, outcome.message()
    assert_clean(pathlib.Path(folder) / "root")
    return folders[0]


def refuse_one(folder, *entries):
    """The words of the error that an image's only layer has to give."""
    before = set(pathlib.Path(folder).glob("root/layers/*"))
    outcome, _ = unpack(folder, make_tar(*entries))
    assert outcome.code == 1 and not outcome.images, outcome.events
    assert_clean(pathlib.Path(folder) / "root", layers=len(before))
    return outcome.message()


def assert_clean(root, layers=None):
    """No temporaries and no locks are left."""
    names = os.listdir(root / "layers")
    assert all(len(name) == 64 for name in names), names
    assert layers is None or len(names) == layers, names
    assert os.listdir(root / "content/ingest") == []


# --- looking at trees ---


def describe(path):
    st = os.lstat(path)
    facts = {"mode": oct(st.st_mode), "owner": (st.st_uid, st.st_gid), "mtime": st.st_mtime_ns}
    if stat.S_ISREG(st.st_mode):
        facts["content"] = hashlib.sha256(path.read_bytes()).hexdigest()
        facts["size"] = st.st_size
    if stat.S_ISLNK(st.st_mode):
        facts["link"] = os.readlink(path)
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        facts["device"] = st.st_rdev
    names = os.listxattr(path, follow_symlinks=False)
    facts["xattrs"] = {n: os.getxattr(path, n, follow_symlinks=False) for n in names if n != "security.selinux"}
    return facts, (st.st_ino if st.st_nlink > 1 and not stat.S_ISDIR(st.st_mode) else None)


def snapshot(top):
    """All below top by its path; hard links by the first of their names. Without top itself."""
    top = pathlib.Path(top)
    tree, inodes = {}, {}
    for folder, folders, files in os.walk(top):
        for name in sorted(folders + files):
            path = pathlib.Path(folder) / name
            tree[str(path.relative_to(top))], inode = describe(path)
            if inode:
                inodes.setdefault(inode, []).append(str(path.relative_to(top)))
    for names in inodes.values():
        for name in names:
            tree[name]["links"] = sorted(names)
    return tree


def assert_same_tree(left, right):
    a, b = snapshot(left), snapshot(right)
    assert sorted(a) == sorted(b), sorted(set(a) ^ set(b))
    for name, facts in a.items():
        assert facts == b[name], f"{name}: {facts} is not {b[name]}"


def is_whiteout(path):
    st = os.lstat(path)
    return stat.S_ISCHR(st.st_mode) and st.st_rdev == 0


def is_opaque(path):
    try:
        return os.getxattr(path, "trusted.overlay.opaque") == b"y"
    except OSError:
        return False


# --- running tests ---


def run_test(number, name, test):
    folder = tempfile.mkdtemp(prefix="berth-image-")
    try:
        test(pathlib.Path(folder))
        print(f"ok {number} - {name}")
        return True
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}")
        return True
    except Exception:  # whatever it is, it is that test's failure
        print(f"not ok {number} - {name}")
        print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="")
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    tests = [(n, f) for n, f in vars(sys.modules["__main__"]).items() if n.startswith("test_")]
    wanted = sys.argv[1:]
    tests = [(n, f) for n, f in tests if not wanted or n in wanted]
    if os.geteuid() != 0:
        print("1..0 # SKIP only root can make files of others")
        sys.exit(77)
    os.umask(0o022)
    print(f"1..{len(tests)}")
    results = [run_test(i, name, test) for i, (name, test) in enumerate(tests, 1)]
    sys.exit(0 if all(results) else 1)
