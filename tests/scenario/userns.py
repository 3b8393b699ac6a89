# SPDX-License-Identifier: Apache-2.0
"""Pods with a user namespace, for the scenarios about them."""
import hashlib
import io
import json
import os
import tarfile

import grpc

from berth import wait_for

FIRST, COUNT = 300000, 65536
HANDLERS = ("crun", "runc")


def mapping(first=FIRST, count=COUNT, inside=0):
    return [{"host_id": first, "container_id": inside, "length": count}]


def userns(ids):
    return {"mode": "POD", "uids": ids, "gids": ids}


class Pod:
    """One with a user namespace, whose containers say what it says."""

    def __init__(self, berth, handler="crun", ids=None, sysctls=None, **namespaces):
        options = {"pid": "CONTAINER", "userns_options": userns(ids or mapping()), **namespaces}
        berth.dir.chmod(0o711)  # as a node's folders are: runc goes there as the container's root
        self.berth = berth
        self.linux = {"security_context": {"namespace_options": options}}
        self.id = berth.run_pod(handler=handler, linux={**self.linux, "sysctls": sysctls or {}})

    def create(self, script, security=None, **more):
        linux = {"security_context": {**self.linux["security_context"], **(security or {})}}
        return self.berth.create(self.id, "sh", "-c", script, linux=linux, pod_linux=self.linux, **more)

    def start(self, script, **more):
        return self.berth.start(self.create(script, **more))

    def output(self, script, **more):
        """What the script says, on both outputs, once it has ended."""
        container = self.start(script, **more)
        self.berth.wait_exited(container)
        return self.berth.output(container) + self.berth.output(container, "stderr")

    def wait_output(self, container, words):
        """What a container that goes on says, once it has said the words."""
        wait_for(lambda: words in self.berth.output(container), what=words)
        return self.berth.output(container)

    def pid(self, container):
        answer = self.berth.runtime.ContainerStatus(container_id=container, verbose=True)
        return json.loads(answer.info["info"])["pid"]


def refused(call):
    try:
        call()
    except grpc.RpcError as e:
        return e.details()
    raise AssertionError("it was accepted")


def owner(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid


def add_layers(folder, name, layers, **config):
    """Gives the image in an OCI layout another name, members of its config, and layers: each a
    dictionary of files (path: (owner, text)) and folders (path: (owner, None))."""
    index = json.loads((folder / "index.json").read_text())
    blob = lambda digest: folder / "blobs" / digest.replace(":", "/")
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
    image = json.loads(blob(manifest["config"]["digest"]).read_text())

    def store(data, media_type):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        blob(digest).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    for files in layers:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for path, (who, text) in files.items():
                info = tarfile.TarInfo(path)
                info.uid = info.gid = who
                info.mode, info.type = (0o755, tarfile.DIRTYPE) if text is None else (0o644, tarfile.REGTYPE)
                info.size = len(text or "")
                tar.addfile(info, io.BytesIO((text or "").encode()))
        manifest["layers"].append(store(out.getvalue(), "application/vnd.oci.image.layer.v1.tar"))
        image["rootfs"]["diff_ids"].append(manifest["layers"][-1]["digest"])
    image["config"].update(config)
    manifest["config"] = store(json.dumps(image).encode(), manifest["config"]["mediaType"])
    entry = store(json.dumps(manifest).encode(), manifest["mediaType"])
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
