# SPDX-License-Identifier: Apache-2.0
"""Framing of log records: tags, long lines, ends without newline, rotation."""
import os
import pathlib
import re
import signal

from berth import wait_for


def test_framing(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, r"printf 'a\n\nb\r\nc'")
    berth.wait_exited(container)
    assert berth.log(container) == [("stdout", "F", "a"), ("stdout", "F", ""), ("stdout", "F", "b"),
                                    ("stdout", "P", "c")], berth.log(container)
    line = pathlib.Path(berth.status(container).log_path).read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d) stdout F a", line), line


def test_long_lines_are_split(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, "head -c 16384 /dev/zero | tr '\\0' x; echo; head -c 16385 /dev/zero | tr '\\0' y; echo")
    berth.wait_exited(container)
    assert [(tag, len(text)) for _, tag, text in berth.log(container)] == [("F", 16384), ("P", 16384), ("F", 1)]


def test_a_terminal_has_one_stream(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, "echo out; echo err >&2; test -t 1 && echo tty", tty=True)
    berth.wait_exited(container)
    assert berth.log(container) == [("stdout", "F", t) for t in ("out", "err", "tty")], berth.log(container)


def test_rotation_loses_and_doubles_nothing(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done")
    path = pathlib.Path(berth.status(container).log_path)
    rotated = []
    while berth.state(container) == "CONTAINER_RUNNING":
        rotated.append(path.with_suffix(f".{len(rotated)}"))
        os.rename(path, rotated[-1])
        try:
            berth.runtime.ReopenContainerLog(container_id=container)
        except Exception:  # it ended meanwhile
            assert berth.wait_exited(container)
    lines = []
    for file in [*rotated, path]:
        if file.exists():
            lines += [line.split(" ", 3)[3] for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines == [f"line {i}" for i in range(20000)], (len(lines), len(rotated))


def test_the_log_is_whole_when_the_end_is_told(berth):
    """The shim stands still while they write and end, so that it finds all of that at once."""
    pod = berth.run_pod(host_network=True)
    script = "until [ -e /dev/shm/now ]; do sleep 0.01; done; for i in $(seq 1000); do echo $i; echo $i >&2; done; exit 3"
    containers = [berth.sh(pod, script) for _ in range(8)]
    pids = [berth.pid(container) for container in containers]
    shim = berth.shim_pid(pod)
    os.kill(shim, signal.SIGSTOP)
    pathlib.Path(f"/proc/{pids[0]}/root/dev/shm/now").touch()
    for pid in pids:
        wait_for(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split(") ")[1][0] == "Z", what="the end")
    os.kill(shim, signal.SIGCONT)
    wanted = "".join(f"{i}\n" for i in range(1, 1001))
    for container in containers:
        while berth.state(container) != "CONTAINER_EXITED":
            pass
        assert berth.output(container) == berth.output(container, "stderr") == wanted


def test_no_log_path_is_no_log(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, "echo nobody hears this", log_path="")
    assert berth.wait_exited(container).exit_code == 0
    assert berth.status(container).log_path == ""
