# SPDX-License-Identifier: Apache-2.0
"""Who has started execs: the shim, or the OCI runtime."""
from berth import wait_for


def count(berth):
    """(by shims, by OCI runtimes), of those that have ended."""
    log = berth.log_file.read_text(encoding="utf-8")
    return log.count("an exec was started by the shim"), log.count("an exec was started by the OCI runtime")


def is_direct(berth, container):
    before = count(berth)
    assert berth.exec_sync(container, "true") == (0, "", "")
    return count(berth)[0] > before[0]


def wait_for_shim(berth, container):
    """The runtime starts what comes before berthd knows what it is, which it asks while it serves already, and before
    the container's first process has been left to the shim."""
    wait_for(lambda: is_direct(berth, container), what="a direct exec")
