# SPDX-License-Identifier: Apache-2.0
"""A killed shim ends its pod: containers EXITED 137, never RUNNING, nothing left."""
import contextlib
import json
import os
import pathlib
import select
import signal
import sqlite3
import subprocess
import threading

import grpc

import leaks
from berth import PATIENCE, wait_for
from lingering import Lingering


def shim_of(berth, pod):
    info = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod, verbose=True).info["info"]
    return json.loads(info)["pid"]


def kill_and_wait(pid):
    """A process that is not our child."""
    with open(os.pidfd_open(pid), "rb") as process:
        os.kill(pid, signal.SIGKILL)
        assert select.select([process], [], [], PATIENCE)[0]


def check_ended(berth, pod, container):
    status = berth.wait_exited(container)
    assert (status.exit_code, status.reason) == (137, "Error"), status
    wait_for(lambda: berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1, what="NOTREADY")


def test_while_berthd_runs(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    os.kill(shim_of(berth, pod), signal.SIGKILL)
    check_ended(berth, pod, container)


def test_while_berthd_is_down(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    shim = shim_of(berth, pod)
    berth.kill_daemon()
    kill_and_wait(shim)
    berth.start_daemon()
    assert berth.state(container) != "CONTAINER_RUNNING"
    check_ended(berth, pod, container)


def slow_runtime(berth):
    """Once there is a pipe to wait at, the default runtime waits at it, in a helper that outlives the run."""
    runtime = berth.config["runtimes"][berth.config["default_runtime"]]
    path, real, pipe = berth.dir / "slow", runtime["path"], berth.dir / "pipe"
    path.write_text(f"""#!/bin/sh
[ -p {pipe} ] || exec {real} "$@"
case "$*" in
*" run "* | *" create "*) setsid sh -c 'echo >{pipe}.reached; read x <{pipe}; exec {real} "$@"' helper "$@" & wait ;;
*) exec {real} "$@" ;;
esac""", encoding="utf-8")
    path.chmod(0o755)
    runtime["path"] = str(path)
    berth.restart()
    return pipe


def helpers(berth):
    return [words for words in leaks.processes(str(berth.dir)).values() if " helper " in words]


def kill_in_the_middle_of_a_start(berth, with_daemon=False, lingers=False):
    pipe = slow_runtime(berth)
    pod = berth.run_pod()
    container, shim = berth.create(pod, "sleep", "1000"), shim_of(berth, pod)
    if lingers:  # the thread that it has while it writes a log
        berth.sh(pod, "while echo a line; do sleep 0.01; done")
        lingering = Lingering(shim)
    os.mkfifo(pipe)
    start = threading.Thread(target=start_in_vain, args=(berth, container))
    start.start()
    wait_for(pathlib.Path(f"{pipe}.reached").exists, 30, "the run")
    assert helpers(berth)
    if with_daemon:
        berth.daemon.kill()
    os.kill(shim, signal.SIGKILL)
    start.join()
    if with_daemon:  # then it is ended beside the first requests
        berth.kill_daemon()
        berth.start_daemon()
        wait_for(lambda: not helpers(berth), 30, "the end of what went on")
    assert not helpers(berth), helpers(berth)
    assert berth.state(container) != "CONTAINER_RUNNING"
    if lingers:
        assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 0, "its end has shown too early"
        lingering.end()
    wait_for(lambda: berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.state == 1, 30, "NOTREADY")


def start_in_vain(berth, container):
    with contextlib.suppress(grpc.RpcError):
        berth.start(container)
        raise AssertionError("it started")


def test_in_the_middle_of_a_start(berth):
    kill_in_the_middle_of_a_start(berth)


def test_in_the_middle_of_a_start_and_its_end_shows_late(berth):
    try:
        kill_in_the_middle_of_a_start(berth, lingers=True)
    except PermissionError as e:
        return str(e)
    return None


def test_in_the_middle_of_a_start_and_berthd_too(berth):
    kill_in_the_middle_of_a_start(berth, with_daemon=True)


def test_its_pid_is_somebody_elses_by_now(berth):
    """A pid alone is nobody: whoever has it now is not taken for the shim, and left alone."""
    pod = berth.run_pod()
    container = berth.run(pod, "sleep", "1000")
    shim = shim_of(berth, pod)
    with subprocess.Popen(["sleep", "1000"]) as other:
        berth.kill_daemon()
        kill_and_wait(shim)
        with sqlite3.connect(berth.dir / "root" / "berth.db") as database:
            database.execute("UPDATE pods SET shim_pid = ?", (other.pid,))
        berth.start_daemon()
        check_ended(berth, pod, container)
        berth.remove_pod(pod)
        assert other.poll() is None
        other.kill()
