# SPDX-License-Identifier: Apache-2.0
"""crictl, the client of others: exec in a terminal of its own, attach, port-forward, and TLS. It is built by
tests/conformance/run, which runs these."""
import fcntl
import importlib
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import time

from authority import Authority
from berth import BUILD, PATIENCE, wait_for

CRICTL = BUILD / "conformance-bin/crictl"
TRANSPORTS = ("spdy", "websocket")


def crictl(berth, *args):
    return [str(CRICTL), "--runtime-endpoint", f"unix://{berth.socket}", "--image-endpoint", f"unix://{berth.socket}",
            "--timeout", f"{PATIENCE:.0f}s",
            *map(str, args)]


def built(test):
    def run(berth):
        return test(berth) if CRICTL.exists() else "crictl is not built"
    run.__name__ = test.__name__
    return run


class Terminal:
    """A program in a pseudo-terminal of ours."""

    def __init__(self, *command):
        self.master, slave = pty.openpty()
        self.program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def expect(self, text, timeout=PATIENCE):
        end = time.monotonic() + timeout
        while text not in self.text:
            assert select.select([self.master], [], [], max(0, end - time.monotonic()))[0], (text, self.text)
            self.text += os.read(self.master, 4096).decode()

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.program.send_signal(signal.SIGWINCH)

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self):
        status = self.program.wait(PATIENCE)
        os.close(self.master)
        return status


@built
def test_exec_in_a_terminal(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in TRANSPORTS:
        shell = Terminal(*crictl(berth, "exec", "-it", "--transport", transport, c, "sh"))
        shell.expect("# ")
        shell.type("echo $((6*7))-is-it; stty size\n")
        shell.expect("42-is-it")
        shell.type("exit 3\n")
        assert shell.wait() != 0, shell.text


@built
def test_a_size_that_changes(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in TRANSPORTS:
        shell = Terminal(*crictl(berth, "exec", "-it", "--transport", transport, c, "sh"))
        shell.expect("# ")
        shell.resize(44, 99)
        shell.type("until [ \"$(stty size)\" = '44 99' ]; do sleep 0.02; done; stty size\n")
        shell.expect("\n44 99")
        shell.type("exit\n")
        assert shell.wait() == 0, shell.text


@built
def test_exec_with_pipes(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in TRANSPORTS:
        done = subprocess.run(crictl(berth, "exec", "-i", "--transport", transport, c, "sh", "-c", "cat; echo err >&2; exit 4"),
                              input=b"x" * 300000, capture_output=True, check=False, timeout=2 * PATIENCE)
        assert done.returncode == 1 and done.stdout == b"x" * 300000, (transport, done)
        assert b"err\n" in done.stderr and b"exit code 4" in done.stderr, done.stderr


@built
def test_attach(berth):
    for transport in TRANSPORTS:
        c = berth.sh(berth.run_pod(), "read x; echo got $x", stdin=True, stdin_once=True)
        done = subprocess.run(crictl(berth, "attach", "-i", "--transport", transport, c), input=b"this\n", capture_output=True,
                              check=False, timeout=2 * PATIENCE)
        assert done.stdout == b"got this\n", done
        assert berth.output(c) == "got this\n"


def echo(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
            s.sendall(b"abc")
            s.shutdown(socket.SHUT_WR)
            return s.recv(100)
    except OSError:
        return b""


@built
def test_port_forward(berth):
    pod = berth.run_pod()
    server = importlib.import_module("230-port-forward").Server
    with server(berth, pod, 7000):
        for transport in TRANSPORTS:
            with socket.create_server(("127.0.0.1", 0)) as s:
                port = s.getsockname()[1]
            forward = subprocess.Popen(crictl(berth, "port-forward", "--transport", transport, pod, f"{port}:7000"),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                assert wait_for(lambda: echo(port)) == b"cba"
                assert all(echo(port) == b"cba" for _ in range(20))
            finally:
                forward.terminate()
                forward.wait(PATIENCE)


@built
def test_tls(berth):
    ours = Authority(berth.dir / "ours").sign("server").sign("client")
    berth.stop_daemon()
    berth.config["streaming"] = {"tls": {
        "enabled": True, "cert_file": str(ours.folder / "server.crt"), "key_file": str(ours.folder / "server.key"),
        "client_ca_file": str(ours.folder / "ca.crt")}}
    berth.start_daemon()
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in TRANSPORTS:
        command = crictl(berth, "exec", "--transport", transport, "--tls-ca", ours.folder / "ca.crt", "--tls-cert",
                         ours.folder / "client.crt", "--tls-key", ours.folder / "client.key", c, "echo", "over", "tls")
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * PATIENCE)
        assert (done.returncode, done.stdout) == (0, "over tls\n"), done.stderr
        del command[command.index("--tls-ca"):command.index(c)]
        assert subprocess.run(command, capture_output=True, check=False, timeout=2 * PATIENCE).returncode != 0
