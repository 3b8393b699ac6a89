# SPDX-License-Identifier: Apache-2.0
"""Every version of the remote command protocols, over SPDY and over WebSocket, as clients negotiate them."""
import base64

from streaming import Refused, Spdy, WebSocket, ask, exec_url

SCRIPT = "read x; echo out $x; echo err >&2; exit 3"
VERSIONS = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]  # the best first
PLAIN = ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", ""]
BASE64 = ["v4.base64.channel.k8s.io", "base64.channel.k8s.io"]


def container(berth):
    return berth.run(berth.run_pod(), "sleep", "1000")


def tells_of_3(client, protocol):
    """From version 4 on by a status object, before in words."""
    if protocol[:2] in ("v4", "v5"):
        return client.exit_code() == 3
    return b"exit code 3" in client.data[client.error] and b"{" not in client.data[client.error]


def test_each_of_spdy(berth):
    c = container(berth)
    for protocol in VERSIONS:
        client = Spdy(exec_url(berth, c, "sh", "-c", SCRIPT, stdin=True), protocol).open("error", "stdin", "stdout", "stderr")
        client.send(client.stdin, b"in\n", end=True)
        client.receive(client.error_is_over)
        assert tells_of_3(client, protocol), (protocol, client.data)
        assert (client.output(client.stdout), client.output(client.stderr)) == ("out in\n", "err\n"), protocol


def test_each_of_websocket(berth):
    c = container(berth)
    for protocol in PLAIN + BASE64:
        client = WebSocket(exec_url(berth, c, "sh", "-c", SCRIPT, stdin=True), protocol)
        assert client.protocol == protocol
        client.send(0, b"i")
        client.send(0, b"n\n")
        client.receive(client.error_is_over)
        assert tells_of_3(client, protocol) and client.code == 1000, (protocol, client.code, client.data)
        assert (client.output(1), client.output(2)) == ("out in\n", "err\n"), (protocol, client.data)


def test_bytes_of_all_kinds_in_base64(berth):
    c = container(berth)
    data = bytes(range(256)) * 400
    for protocol in BASE64:
        client = WebSocket(exec_url(berth, c, "head", "-c", str(len(data)), stdin=True), protocol)
        for i in range(0, len(data), 10001):
            client.send(0, data[i:i + 10001])
        client.receive(client.error_is_over)
        assert client.data[1] == data, (protocol, len(client.data[1]))
    # What is no base64 ends the session, and the command.
    client = WebSocket(exec_url(berth, c, "sleep", "7776", stdin=True), BASE64[0])
    client.frame(1, b"0" + base64.b64encode(b"abc") + b"!!")
    assert client.receive().closed


def test_sizes_of_terminals(berth):
    c = container(berth)
    script = "until [ \"$(stty size)\" = '45 123' ]; do sleep 0.02; done; echo it is"
    for protocol in VERSIONS[:2]:
        client = Spdy(exec_url(berth, c, "sh", "-c", script, tty=True), protocol).open("error", "stdout")
        client.resize_stream = client.stream(streamtype="resize")
        client.resize(123, 45)
        client.receive(client.error_is_over)
        assert "it is" in client.output(client.stdout), protocol
    for protocol in PLAIN[:2] + BASE64[:1]:
        client = WebSocket(exec_url(berth, c, "sh", "-c", script, tty=True), protocol)
        client.resize(123, 45)
        client.receive(client.error_is_over)
        assert "it is" in client.output(1), protocol
    # A terminal without sizes, as version 2 has it.
    client = Spdy(exec_url(berth, c, "sh", "-c", "test -t 1 && echo it is", tty=True), VERSIONS[2]).open("error", "stdout")
    client.receive(client.error_is_over)
    assert "it is" in client.output(client.stdout)


def chosen(berth, c, fields, method="POST"):
    sock, answer, _ = ask(exec_url(berth, c, "true"), [("Connection", "keep-alive, Upgrade"), *fields], method)
    sock.close()
    return answer.get("x-stream-protocol-version") or answer.get("sec-websocket-protocol")


def test_the_clients_first_choice_that_we_speak(berth):
    c = container(berth)
    name, spdy = "X-Stream-Protocol-Version", ("Upgrade", "SPDY/3.1")
    assert chosen(berth, c, [spdy, *((name, v) for v in ["v9.channel.k8s.io", *VERSIONS])]) == VERSIONS[0]
    assert chosen(berth, c, [spdy, (name, ", ".join(VERSIONS[::-1]))]) == VERSIONS[3]
    websocket = [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                 ("Sec-WebSocket-Key", base64.b64encode(bytes(16)).decode())]
    offers = ", ".join(["v9.channel.k8s.io", BASE64[0], PLAIN[0]])
    assert chosen(berth, c, [*websocket, ("Sec-WebSocket-Protocol", offers)], "GET") == BASE64[0]
    for fields in ([*websocket[:2]], [websocket[0], ("Sec-WebSocket-Version", "8"), websocket[2]],
                   [*websocket, ("Sec-WebSocket-Protocol", "v9.channel.k8s.io")]):
        try:
            chosen(berth, c, fields, "GET")
        except Refused as e:
            assert e.args[0] in (400, 403, 426) and e.args[1], e.args
        else:
            raise AssertionError(f"{fields} were accepted")
