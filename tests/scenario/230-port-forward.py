# SPDX-License-Identifier: Apache-2.0
"""Port forwards: many connections at once, refused ports, IPv6, the host's network, WebSocket."""
import os
import subprocess
import sys
import threading

from berth import PATIENCE, wait_for
from streaming import Spdy, WebSocket

# Takes connections, and nothing that comes on them.
DEAF = """
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(("127.0.0.1", int(sys.argv[2])))
s.listen()
print("ready", flush=True)
held = [s.accept() for _ in range(1000)]
"""

# Answers each connection with what it sends, backwards, once it has sent all of it.
SERVER = """
import socket, sys, threading
def serve(c):
    data = b""
    while more := c.recv(65536):
        data += more
    c.sendall(data[::-1])
    c.close()
family, port = (socket.AF_INET6, int(sys.argv[2])) if sys.argv[1] == "6" else (socket.AF_INET, int(sys.argv[2]))
s = socket.create_server(("::1" if sys.argv[1] == "6" else "127.0.0.1", port), family=family, backlog=1000)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""


class Server:
    """In a pod's network, or with None in ours."""

    def __init__(self, berth, pod, port, version="4", script=SERVER):
        enter = ["nsenter", f"--net={berth.dir}/run/pods/{pod}/ns/net"] if pod else []
        self.program = subprocess.Popen([*enter, sys.executable, "-c", script, version, str(port)],
                                        stdout=subprocess.PIPE)
        assert self.program.stdout.readline() == b"ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()
        self.program.wait()
        self.program.stdout.close()


def forward(berth, pod, *ports):
    return berth.runtime.PortForward(pod_sandbox_id=pod, port=list(ports)).url


def connect(client, port, request):
    error = client.stream(streamtype="error", port=port, requestid=request)
    client.send(error, end=True)
    return client.stream(streamtype="data", port=port, requestid=request), error


def test_many_connections_and_refused_ones_among_them(berth):
    pod = berth.run_pod()
    with Server(berth, pod, 7000):
        client = Spdy(forward(berth, pod), "portforward.k8s.io")
        pairs = [connect(client, 7000 if i % 10 else 7001, i) for i in range(200)]
        for i, (data, _) in enumerate(pairs):
            client.send(data, f"number {i}".encode() * 500, end=True)
        client.receive(lambda: all(error in client.ended for _, error in pairs) and
                       all(data in client.ended | set(client.reset) for data, _ in pairs))
        for i, (data, error) in enumerate(pairs):
            if i % 10:
                assert client.output(data) == (f"number {i}" * 500)[::-1] and not client.output(error), i
            else:
                words = client.output(error)
                assert f"forwarding port 7001 to pod {pod}" in words and "Connection refused" in words, words
        # The session is still of use.
        data, error = connect(client, 7000, "last")
        client.send(data, b"abc", end=True)
        client.receive(lambda: data in client.ended)
        assert client.output(data) == "cba"
        client.close()


def test_a_pod_that_does_not_read_does_not_stop_the_other_connections(berth):
    pod = berth.run_pod()
    with Server(berth, pod, 7000), Server(berth, pod, 7001, script=DEAF):
        client = Spdy(forward(berth, pod), "portforward.k8s.io")
        idle, _ = connect(client, 7000, "idle")
        deaf, words = connect(client, 7001, "deaf")
        client.send(deaf, bytes(3000000))
        data, _ = connect(client, 7000, "other")
        client.send(data, b"abc", end=True)
        client.receive(lambda: data in client.ended)
        assert client.output(data) == "cba" and deaf not in client.reset
        # When it has more than is held for it, the others wait, but not for ever.
        client.sock.settimeout(2 * PATIENCE)
        client.send(deaf, bytes(30000000))
        client.send(idle, b"abc", end=True)
        client.receive(lambda: idle in client.ended and deaf in client.reset)
        assert client.output(idle) == "cba"
        assert "other connections wait" in client.output(words), client.output(words)
        client.close()


def test_much_data_both_ways(berth):
    pod = berth.run_pod()
    with Server(berth, pod, 7000):
        client = Spdy(forward(berth, pod), "portforward.k8s.io")
        data, _ = connect(client, 7000, 1)
        text = bytes(range(256)) * 40000
        threading.Thread(target=client.send, args=(data, text, True)).start()
        client.receive(lambda: data in client.ended)
        assert client.data[data] == text[::-1]
        client.close()


def test_ipv6_and_the_hosts_network(berth):
    pod, host = berth.run_pod(), berth.run_pod(host_network=True)
    with Server(berth, pod, 7000, "6"), Server(berth, None, 7002):
        for where, port in ((pod, 7000), (host, 7002)):
            client = Spdy(forward(berth, where), "portforward.k8s.io")
            data, _ = connect(client, port, 1)
            client.send(data, b"abc", end=True)
            client.receive(lambda: data in client.ended)
            assert client.output(data) == "cba"
            client.close()


def test_channels_of_a_websocket(berth):
    pod = berth.run_pod()
    ports = [p.to_bytes(2, "little") for p in (7000, 7001)]
    with Server(berth, pod, 7000):
        client = WebSocket(forward(berth, pod, 7000, 7001))
        client.send(0, b"abc")
        client.receive(lambda: len(client.data.get(3, b"")) > 2)
        assert [bytes(client.data[i][:2]) for i in range(4)] == [ports[0], ports[0], ports[1], ports[1]]
        assert b"Connection refused" in client.data[3], client.data
        client.close()


def test_spdy_in_a_websocket(berth):
    pod = berth.run_pod()
    with Server(berth, pod, 7000):
        client = WebSocket(forward(berth, pod), "SPDY/3.1+portforward.k8s.io")
        spdy = Spdy.above(client)
        data, error = connect(spdy, 7000, 1)
        spdy.send(data, b"abc" * 50000, end=True)
        spdy.receive(lambda: data in spdy.ended)
        assert spdy.data[data] == b"cba" * 50000 and not spdy.output(error)
        client.close()


def test_streams_that_are_no_pair(berth):
    pod = berth.run_pod()
    client = Spdy(forward(berth, pod), "portforward.k8s.io")
    for headers in ({"port": 0}, {"port": 70000}, {"port": "x"}, {}):
        bad = client.stream(streamtype="data", **headers)
        client.receive(lambda: bad in client.reset)
        assert bad in client.reset, headers
    first = client.stream(streamtype="error", port=1, requestid=9)
    again = client.stream(streamtype="error", port=1, requestid=9)
    client.receive(lambda: again in client.reset and first in client.ended)
    assert "no pair" in client.output(first)
    client.close()


def test_a_session_that_ends_leaves_no_connection(berth):
    pod = berth.run_pod()
    count = lambda: len(os.listdir(f"/proc/{berth.daemon.pid}/fd"))
    with Server(berth, pod, 7000):
        before = count()
        client = Spdy(forward(berth, pod), "portforward.k8s.io")
        for i in range(50):
            data, _ = connect(client, 7000, i)
            client.send(data, b"x")
        wait_for(lambda: count() >= before + 50)
        client.close()
        wait_for(lambda: count() <= before, what="the end of all connections")
