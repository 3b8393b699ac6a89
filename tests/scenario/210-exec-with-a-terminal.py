# SPDX-License-Identifier: Apache-2.0
"""Exec with a terminal: echo, sizes, hang-up; and crictl exec -it in a terminal of its own."""
import os
import pty
import select
import subprocess
import time

from berth import BUILD
from streaming import Spdy, WebSocket, run

CRICTL = BUILD / "conformance-bin/crictl"


def test_a_shell_that_is_typed_into(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in (Spdy, WebSocket):
        client = run(berth, c, "sh", transport=transport, stdin=True, tty=True)
        client.resize(123, 45)
        client.send(client.stdin, b"test -t 0 && echo term=$TERM\n")
        client.receive(lambda: "term=xterm" in client.output(client.stdout))
        client.send(client.stdin, b"stty size\n")
        client.receive(lambda: "45 123" in client.output(client.stdout))
        client.resize(80, 24)
        client.send(client.stdin, b"sleep 0.2; stty size; exit 7\n")
        assert client.exit_code() == 7
        assert "24 80" in client.output(client.stdout), client.output(client.stdout)


def test_much_output_for_a_slow_reader(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    client = run(berth, c, "sh", "-c", "i=0; while [ $i -lt 40000 ]; do echo line-$i; i=$((i+1)); done", tty=True)
    time.sleep(3)
    assert client.exit_code() == 0
    lines = client.output(client.stdout).split("\r\n")
    assert lines[:-1] == [f"line-{i}" for i in range(40000)], (len(lines), lines[-2:])


class Terminal:
    """A program in a pseudo-terminal of ours."""

    def __init__(self, *command):
        self.master, slave = pty.openpty()
        self.program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def expect(self, text, timeout=20):
        end = time.monotonic() + timeout
        while text not in self.text:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], (text, self.text)
            self.text += os.read(self.master, 4096).decode()

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self):
        status = self.program.wait(20)
        os.close(self.master)
        return status


def test_crictl_exec_it(berth):
    if not CRICTL.exists():
        return "crictl is not built"
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in ("spdy", "websocket"):
        shell = Terminal(str(CRICTL), "--runtime-endpoint", f"unix://{berth.socket}", "--image-endpoint",
                         f"unix://{berth.socket}", "exec", "-it", "--transport", transport, c, "sh")
        shell.expect("# ")
        shell.type("echo $((6*7))-is-it\n")
        shell.expect("42-is-it")
        shell.type("exit 3\n")
        assert shell.wait() != 0, shell.text
    return None
