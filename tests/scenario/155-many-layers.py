# SPDX-License-Identifier: Apache-2.0
"""An image of more layers than one page of mount options could name."""
import gzip
import json
import pathlib
import subprocess
import sys

from berth import TOP

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position

LAYERS = 130
NAME = "localhost/layers:1"


def busybox_layer(folder):
    subprocess.run([TOP / "scripts" / "make-busybox-image", folder], check=True)
    read = lambda digest: pathlib.Path(folder, "blobs/sha256", digest[7:]).read_bytes()
    manifest = json.loads(read(json.loads(pathlib.Path(folder, "index.json").read_text())["manifests"][0]["digest"]))
    return gzip.decompress(read(manifest["layers"][0]["digest"]))


def test_an_image_of_130_layers_runs(berth):
    layout = harness.Layout(berth.dir / "layout")
    files = [harness.make_tar(harness.entry(f"of{i}", data=b"%d" % i), harness.entry("top", data=b"%d" % i))
             for i in range(1, LAYERS)]
    layout.add(layout.image(busybox_layer(berth.dir / "busybox"), *files), NAME)
    berth.import_image(layout.folder)
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sh", "-c", "ls / | grep -c ^of; cat top", image={"image": NAME})
    assert berth.wait_exited(container).exit_code == 0
    assert berth.output(container).split() == [str(LAYERS - 1), str(LAYERS - 1)]
    volume = {"container_path": "/mnt", "image": {"image": NAME}, "readonly": True}
    container = berth.run(pod, "sh", "-c", "ls /mnt | grep -c ^of; cat /mnt/top", mounts=[volume])
    assert berth.wait_exited(container).exit_code == 0
    assert berth.output(container).split() == [str(LAYERS - 1), str(LAYERS - 1)]
