# SPDX-License-Identifier: Apache-2.0
"""A SPDY client that knows flow control: neither end sends beyond the other's windows."""
from streaming import Spdy, exec_url, run

SETTINGS, WINDOW_UPDATE, INITIAL_WINDOW = 4, 9, 7
SIZE = 64 * 1024


def test_we_stay_within_the_clients_windows(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    client = Spdy(exec_url(berth, c, "sh", "-c", "echo error >&2; head -c 300000 /dev/zero; echo -n last"))
    client.control(SETTINGS, 1, INITIAL_WINDOW, 10000)
    client.open("error", "stdout", "stderr")
    got = lambda: len(client.data.get(client.stdout, b""))
    client.receive(lambda: got() >= 10000)
    try:
        client.receive(lambda: got() > 10000, timeout=1)
        raise AssertionError("it sent more than the window")
    except TimeoutError:
        assert got() == 10000
    while got() < 300004:
        have = got()
        for stream in (0, client.stdout):
            client.control(WINDOW_UPDATE, stream, 20000)
        client.receive(lambda: got() >= min(have + 10000, 300004))
    assert client.exit_code() == 0 and client.data[client.stdout].endswith(b"last")
    assert client.output(client.stderr) == "error\n"


def test_we_open_ours_as_the_command_reads(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    client = run(berth, c, "sh", "-c", "read x; wc -c", stdin=True)
    client.send(client.stdin, bytes(SIZE))
    # Some of it may be told later, as little is not worth a frame.
    client.receive(lambda: client.windows.get(0, 0) >= SIZE // 2)
    told = client.windows.get(client.stdin, 0)
    client.send(client.stdin, b"\n")
    sent, total = SIZE + 1, 1000000
    while sent < total:
        n = min(SIZE + client.windows.get(client.stdin, 0) - sent, total - sent)
        client.send(client.stdin, bytes(n))
        sent += n
        client.receive(lambda: SIZE + client.windows.get(client.stdin, 0) > sent or sent == total)
    client.send(client.stdin, end=True)
    assert client.exit_code() == 0 and client.windows[client.stdin] > told
    assert int(client.output(client.stdout)) == total - SIZE - 1
