# SPDX-License-Identifier: Apache-2.0
"""For programs that play with a berth without the runner's order: with environment() as image: …"""
import contextlib
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
scripts = here.parent.parent / "scripts"


def load_runner():
    loader = importlib.machinery.SourceFileLoader("scenario_run", str(here / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("scenario_run", loader))
    loader.exec_module(module)
    return module


@contextlib.contextmanager
def environment():
    """What the runner gives its scenarios: a network namespace, cgroups that crun accepts, an image.
    To be entered before anything else is imported from here: it may run the program once more."""
    load_runner().isolate()
    sys.path.insert(0, str(here))
    mounted = subprocess.run([scripts / "cgroups.sh", "mount"], stdout=subprocess.PIPE, text=True, check=True)
    try:
        with tempfile.TemporaryDirectory(prefix="berth-image-") as folder:
            image = f"{folder}/busybox"
            subprocess.run([scripts / "make-busybox-image", image], check=True)
            yield image
    finally:
        subprocess.run([scripts / "cgroups.sh", "unmount", *mounted.stdout.split()], check=False)
