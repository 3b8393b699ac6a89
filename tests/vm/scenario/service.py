# SPDX-License-Identifier: Apache-2.0
"""A berth whose daemon is systemd's: packaging/berth.service, the programs where they are installed."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

import yaml

import cgroups
from berth import BUILD, TOP, program, wait_for

CONFIG = pathlib.Path("/etc/berth/config.yaml")
UNIT = pathlib.Path("/etc/systemd/system/berth.service")


def systemctl(*words):
    return cgroups.systemctl(*words, check=True)


def install():
    libexec = pathlib.Path("/usr/libexec/berth")
    libexec.mkdir(parents=True, exist_ok=True)
    shutil.copy(program("berthd"), "/usr/sbin/berthd")
    shutil.copy(program("berthctl"), "/usr/bin/berthctl")
    for path in BUILD.iterdir():
        if path.is_file() and path.name not in ("berthd", "berthctl"):
            shutil.copy(path, libexec)
    if not UNIT.exists():
        shutil.copy(TOP / "packaging" / "berth.service", UNIT)
        systemctl("daemon-reload")


def answers(berth):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(berth.socket)) == 0


def start(berth):
    """When systemctl returns it answers, or the scenario fails."""
    cgroups.make_parent(berth.cgroup_parent)
    if main_pid() == 0 and not (berth.dir / "root").exists():
        install()
        config = dict(berth.config)
        del config["shim"], config["image"]  # it finds them
        CONFIG.parent.mkdir(exist_ok=True)
        CONFIG.write_text(yaml.safe_dump(config), encoding="utf-8")
    systemctl("start", "berth")
    assert answers(berth), "it was started, and does not answer"
    berth.connect()
    if berth.image:
        berth.import_image(berth.image)
        berth.image = None


def stop(berth):
    berth.disconnect()
    systemctl("stop", "berth")


def restart(berth):
    berth.disconnect()
    systemctl("restart", "berth")
    assert answers(berth), "it was restarted, and does not answer"
    berth.connect()


def shown(*names):
    return [systemctl("show", "--value", "--property", name, "berth").strip() for name in names]


def main_pid():
    return int(cgroups.systemctl("show", "--value", "--property", "MainPID", "berth").strip() or 0)


def kill(berth, number):
    """Returns the pid there was, once systemd has started another."""
    berth.disconnect()
    before = main_pid()
    os.kill(before, number)
    wait_for(lambda: main_pid() not in (0, before) and shown("ActiveState") == ["active"], timeout=60, what="a new start")
    berth.connect()
    return before


def finish(berth):
    berth.remove_pods()
    stop(berth)
    systemctl("reset-failed")


@contextlib.contextmanager
def unit(berth):
    """The unit runs, and has ended afterwards, however."""
    try:
        start(berth)
        yield
        finish(berth)
    except BaseException:
        subprocess.run(["journalctl", "-u", "berth", "-n", "30", "--no-pager"], check=False)
        stop(berth)
        raise
