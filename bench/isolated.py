# SPDX-License-Identifier: Apache-2.0
"""A script in namespaces of its own: whatever it leaves, processes, mounts, links, ends with them."""
import os
import pathlib
import subprocess
import sys
import time

LIMIT = 600  # seconds


def remove_cgroups(parent):
    """Containers that died with their namespaces leave empty cgroups."""
    for _ in range(50):
        roots = [path for depth in ("*", "*/*") for path in pathlib.Path("/sys/fs/cgroup").glob(f"{depth}{parent}")]
        if not roots:
            return
        for path in [path for root in roots for path, *_ in os.walk(root, topdown=False)]:
            try:
                os.rmdir(path)
            except OSError:
                pass  # the kernel takes its time
        time.sleep(0.1)


def run(script, arguments, cgroup_parent):
    """Returns what it prints."""
    command = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc",
               # bash, because the first process has to reap what others leave
               "bash", "-c", '"$@" & wait $!', "session", sys.executable, "-B", script, *arguments]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=LIMIT)
    finally:
        remove_cgroups(cgroup_parent)
    if done.returncode:
        raise RuntimeError("it ended with status " + str(done.returncode))
    return done.stdout
