# SPDX-License-Identifier: Apache-2.0
"""Attach: outputs beside the log, stdin, several clients, detaching, slow clients."""
import time

from berth import PATIENCE, wait_for
from streaming import Spdy, WebSocket, attach

TALK = "echo before; read x; i=0; while [ $i -lt 50 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done; exit 4"


def test_several_clients_and_the_log(berth):
    c = berth.sh(berth.run_pod(), TALK, stdin=True)
    wait_for(lambda: "before" in berth.output(c))
    clients = [attach(berth, c, transport) for transport in (Spdy, WebSocket, Spdy)]
    writer = attach(berth, c, stdin=True)
    writer.send(writer.stdin, b"go\n")
    for client in (*clients, writer):
        assert client.status()["status"] == "Success"
        assert client.output(client.stdout) == "".join(f"o{i}\n" for i in range(50)), client.data
        assert client.output(client.stderr) == "".join(f"e{i}\n" for i in range(50)), client.data
    assert berth.wait_exited(c).exit_code == 4
    assert berth.output(c) == "before\n" + "".join(f"o{i}\n" for i in range(50))


def test_stdin_once_is_closed_with_its_first_client(berth):
    c = berth.sh(berth.run_pod(), "cat; echo end", stdin=True, stdin_once=True)
    client = attach(berth, c, stdin=True)
    client.send(client.stdin, b"hello\n", end=True)
    assert client.status()["status"] == "Success"
    assert client.output(client.stdout) == "hello\nend\n"
    assert berth.wait_exited(c).exit_code == 0
    c = berth.sh(berth.run_pod(), "cat; echo end", stdin=True, stdin_once=True)
    attach(berth, c, stdin=True).close()  # vanishing is an end, too
    berth.wait_exited(c)
    assert berth.output(c) == "end\n"


def test_several_clients_may_type(berth):
    c = berth.sh(berth.run_pod(), "cat", stdin=True)
    clients = [attach(berth, c, transport, stdin=True) for transport in (Spdy, WebSocket, Spdy)]
    for i in range(30):
        client = clients[i % 3]
        client.send(0 if isinstance(client, WebSocket) else client.stdin, f"line {i}\n".encode())
    everything = sorted(f"line {i}" for i in range(30))
    for client in clients:
        client.receive(lambda: client.output(client.stdout).count("\n") == 30)
        assert sorted(client.output(client.stdout).splitlines()) == everything, client.data
        client.close()
    wait_for(lambda: sorted(berth.output(c).splitlines()) == everything, what="the log")


def test_without_stdin_once_it_stays_open(berth):
    c = berth.sh(berth.run_pod(), "cat", stdin=True)
    for word in (b"one\n", b"two\n"):
        client = attach(berth, c, stdin=True)
        client.send(client.stdin, word)
        client.receive(lambda: word.decode() in client.output(client.stdout))
        client.send(client.stdin, end=True)
        assert client.status()["status"] == "Success"  # detached
    client.close()
    assert berth.state(c) == "CONTAINER_RUNNING" and berth.output(c) == "one\ntwo\n"


def test_a_terminal(berth):
    c = berth.run(berth.run_pod(), "sh", stdin=True, tty=True)
    client = attach(berth, c, stdin=True, tty=True)
    client.resize(99, 33)
    client.send(client.stdin, b"until [ \"$(stty size)\" = '33 99' ]; do sleep 0.02; done; stty size\n")
    client.receive(lambda: "\n33 99" in client.output(client.stdout))
    client.close()
    client = attach(berth, c, WebSocket, stdin=True, tty=True)
    client.send(0, b"exit 5\n")
    client.receive(lambda: client.code)
    assert berth.wait_exited(c).exit_code == 5


def test_a_container_without_a_log(berth):
    c = berth.sh(berth.run_pod(), "while read x; do echo got $x; done", stdin=True, stdin_once=True, log_path="")
    client = attach(berth, c, stdin=True)
    client.send(client.stdin, b"it\n", end=True)
    assert client.status()["status"] == "Success" and client.output(client.stdout) == "got it\n"
    berth.wait_exited(c)


def test_a_client_that_does_not_read_is_let_go(berth):
    c = berth.sh(berth.run_pod(), "read x; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo end; sleep 100", stdin=True)
    slow, fast = attach(berth, c), attach(berth, c, stdin=True)
    began = time.monotonic()
    fast.send(fast.stdin, b"go\n")
    fast.receive(lambda: fast.output(fast.stdout).endswith("end\n"), timeout=2 * PATIENCE)
    assert time.monotonic() - began > 8, "it was not waited for"
    assert len(fast.data[fast.stdout]) == 20000005
    wait_for(lambda: berth.output(c).endswith("end\n"))
    slow.receive()  # what it had got, and the end
    assert slow.closed and len(slow.data[slow.stdout]) < 20000000


def test_clients_that_come_and_go_leave_nothing(berth):
    pod = berth.run_pod()
    c = berth.sh(pod, "while :; do echo x; sleep 0.01; done")
    import leaks
    import os
    shim = next(pid for pid, command in leaks.processes(str(berth.dir)).items() if "shim-berth" in command)
    count = lambda pid: len(os.listdir(f"/proc/{pid}/fd"))
    before = count(shim), count(berth.daemon.pid)
    for i in range(60):
        client = attach(berth, c, (Spdy, WebSocket)[i % 2])
        client.receive(lambda: "x" in client.output(client.stdout))
        client.close()
    wait_for(lambda: count(shim) <= before[0] and count(berth.daemon.pid) <= before[1],
             what=f"as few descriptors as {before}")
