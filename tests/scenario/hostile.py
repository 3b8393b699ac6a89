# SPDX-License-Identifier: Apache-2.0
"""Images that try something: one more layer, and other settings, on the busybox image."""
import hashlib
import io
import json
import pathlib
import shutil
import tarfile

NAME = "localhost/hostile:latest"


def layer(links, folders=()):
    """A tar file with symbolic links (name → where to) and folders."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in folders:
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, to in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            tar.addfile(info)
    return out.getvalue()


def derive(base, folder, links, **settings):
    """Writes a layout like base, but with these links on top and these settings in its config; returns the folder."""
    shutil.copytree(base, folder)
    blobs = pathlib.Path(folder) / "blobs" / "sha256"

    def store(data, entry):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {**entry, "digest": f"sha256:{digest}", "size": len(data)}

    def load(entry):
        return json.loads((blobs / entry["digest"].removeprefix("sha256:")).read_text(encoding="utf-8"))

    index = json.loads((pathlib.Path(folder) / "index.json").read_text(encoding="utf-8"))
    entry = index["manifests"][0]
    manifest = load(entry)
    config = load(manifest["config"])
    tar = layer(links)
    config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(tar).hexdigest())
    config["config"].update(settings)
    manifest["layers"].append(store(tar, {"mediaType": "application/vnd.oci.image.layer.v1.tar"}))
    manifest["config"] = store(json.dumps(config).encode(), manifest["config"])
    entry = store(json.dumps(manifest).encode(), entry)
    entry["annotations"] = {"org.opencontainers.image.ref.name": NAME}
    index["manifests"] = [entry]
    (pathlib.Path(folder) / "index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder
