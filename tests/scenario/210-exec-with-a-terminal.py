# SPDX-License-Identifier: Apache-2.0
"""Exec with a terminal: echo, sizes, hang-up."""
import time

from streaming import Spdy, WebSocket, run

def test_a_shell_that_is_typed_into(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for transport in (Spdy, WebSocket):
        client = run(berth, c, "sh", transport=transport, stdin=True, tty=True)
        client.resize(123, 45)
        client.send(client.stdin, b"test -t 0 && echo term=$TERM\n")
        client.receive(lambda: "term=xterm" in client.output(client.stdout))
        # Sizes and what is typed come in different ways.
        client.send(client.stdin, b"until [ \"$(stty size)\" = '45 123' ]; do sleep 0.02; done; stty size\n")
        client.receive(lambda: "\n45 123" in client.output(client.stdout))
        client.resize(80, 24)
        client.send(client.stdin, b"until [ \"$(stty size)\" = '24 80' ]; do sleep 0.02; done; stty size; exit 7\n")
        assert client.exit_code() == 7
        assert "\n24 80" in client.output(client.stdout), client.output(client.stdout)


def test_much_output_for_a_slow_reader(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    client = run(berth, c, "sh", "-c", "i=0; while [ $i -lt 40000 ]; do echo line-$i; i=$((i+1)); done", tty=True)
    time.sleep(3)
    assert client.exit_code() == 0
    lines = client.output(client.stdout).split("\r\n")
    assert lines[:-1] == [f"line-{i}" for i in range(40000)], (len(lines), lines[-2:])
