# SPDX-License-Identifier: Apache-2.0
"""The streaming server refuses what it must, with a sentence, counts it, and leaks nothing."""
import json
import os
import resource
import select
import socket
import struct
import urllib.parse
import zlib

import grpc

from berth import wait_for
from streaming import Refused, Spdy, WebSocket, ask, exec_url, run

SPDY = [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", "v4.channel.k8s.io")]


def refused(url, headers=SPDY, method="POST"):
    try:
        ask(url, headers, method)
    except Refused as e:
        return e.args
    raise AssertionError("it was not refused")


def fails(code, call, **fields):
    try:
        call(**fields)
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it did not fail")


def stats(berth):
    return json.loads(berth.runtime.Status(verbose=True).info["streaming"])


def test_what_is_refused_is_counted(berth):
    pod = berth.run_pod()
    c = berth.run(pod, "sleep", "1000")
    assert not any(stats(berth).values()), stats(berth)
    url = exec_url(berth, c, "true")
    assert Spdy(url).open("error", "stdout", "stderr").exit_code() == 0
    refused(url)
    refused(exec_url(berth, c, "true"), method="PUT")
    refused(exec_url(berth, c, "true"), [])
    client = Spdy(exec_url(berth, c, "true"))
    client.stream(streamtype="sound")
    client.open("error", "stdout", "stderr").exit_code()
    Spdy(exec_url(berth, c, "true")).sock.sendall(b"\xff" * 100)
    client = Spdy(berth.runtime.PortForward(pod_sandbox_id=pod).url, "portforward.k8s.io")
    streams = [client.stream(streamtype="error", port=1, requestid=i) for i in range(1003)]
    client.receive(lambda: len(client.reset) == 3)
    assert set(client.reset) == set(streams[-3:])
    client.close()
    wait_for(lambda: stats(berth)["sessions"] == 0)
    assert {key: n for key, n in stats(berth).items() if n} == {
        "execs": 3, "port_forwards": 1, "refused_tokens": 1, "refused_requests": 1, "refused_upgrades": 1,
        "refused_streams": 4, "broken_sessions": 1}, stats(berth)


def test_requests_are_checked(berth):
    pod = berth.run_pod()
    c = berth.run(pod, "sleep", "1000")
    created = berth.create(pod, "true")
    invalid, unknown, missing = (grpc.StatusCode[n] for n in ("INVALID_ARGUMENT", "UNKNOWN", "NOT_FOUND"))
    r = berth.runtime
    for call, fields in ((r.Exec, {"cmd": ["true"]}), (r.Attach, {})):
        fails(invalid, call, container_id=c, tty=True, stderr=True, stdout=True, **fields)
        fails(invalid, call, container_id=c, **fields)
        fails(missing, call, container_id="f" * 64, stdout=True, **fields)
        assert "CONTAINER_CREATED" in fails(unknown, call, container_id=created, stdout=True, **fields)
    fails(missing, r.PortForward, pod_sandbox_id="f" * 64)
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    assert "not running" in fails(unknown, r.PortForward, pod_sandbox_id=pod)


def test_urls_are_checked(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    url = exec_url(berth, c, "true")
    assert url.startswith("http://127.0.0.1:"), url
    assert len(url.rsplit("/", 1)[1]) >= 8
    base = url.rsplit("/", 2)[0]
    for path in ("/exec/AAAAAAAAAAAA", "/exec/", "/exec", "/", "/exec/../x", "/attach/" + url.rsplit("/", 1)[1], "/" + "x" * 9000):
        status, words = refused(base + path)
        assert status == 404 and words, (path, status)
    assert refused(url)[0] == 404, "a token of another kind is used up"
    url = exec_url(berth, c, "true")
    assert Spdy(url).open("error", "stdout", "stderr").exit_code() == 0
    assert refused(url)[0] == 404
    assert refused(exec_url(berth, c, "true"), method="PUT")[0] == 405
    assert refused(exec_url(berth, c, "true"), [])[0] in (400, 426)
    assert refused(exec_url(berth, c, "true"), SPDY[:2])[0] == 400
    assert refused(exec_url(berth, c, "true"), [*SPDY[:2], ("X-Stream-Protocol-Version", "v9")])[0] == 403
    assert refused(exec_url(berth, c, "true"), [("X-Big", "x" * 20000)])[0] == 431


def test_what_ended_before_its_client_came_is_told(berth):
    pod = berth.run_pod()
    c = berth.run(pod, "sleep", "1000", stdin=True)
    urls = [exec_url(berth, c, "true"), berth.runtime.Attach(container_id=c, stdout=True).url]
    forward = berth.runtime.PortForward(pod_sandbox_id=pod).url
    berth.stop(c)
    for url in urls:
        client = Spdy(url).open(*["error", "stdout", "stderr"][:3 if url == urls[0] else 2])
        assert client.status()["status"] == "Failure" and "CONTAINER_EXITED" in client.status()["message"], client.data
    berth.runtime.StopPodSandbox(pod_sandbox_id=pod)
    client = Spdy(forward, "portforward.k8s.io")
    error = client.stream(streamtype="error", port=1, requestid=1)
    client.stream(streamtype="data", port=1, requestid=1)
    client.receive(lambda: error in client.ended)
    assert f"forwarding port 1 to pod {pod}" in client.output(error), client.data


def test_a_stream_that_is_there_already_is_refused(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    client = Spdy(exec_url(berth, c, "echo", "hi")).open("error", "stdout")
    more = [client.stream(streamtype="stdout") for _ in range(5)]
    client.open("stderr")
    assert client.exit_code() == 0 and client.output(client.stdout) == "hi\n"
    assert set(client.reset) == set(more), client.reset
    client.close()
    wait_for(lambda: stats(berth)["refused_streams"] == 5, what="the count, when the session is over")


def test_tokens_are_limited(berth):
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for _ in range(1000):
        exec_url(berth, c, "true")
    words = fails(grpc.StatusCode.RESOURCE_EXHAUSTED, berth.runtime.Exec, container_id=c, cmd=["true"], stdout=True)
    assert "in-flight" in words, words
    assert stats(berth)["refused_urls"] == 1


def test_corrupt_frames_end_the_session_and_leak_nothing(berth):
    pod = berth.run_pod()
    c = berth.run(pod, "sleep", "1000")
    run(berth, c, "true").exit_code()
    count = lambda: len(os.listdir(f"/proc/{berth.daemon.pid}/fd"))
    before = count()
    bomb = zlib.compress(bytes(50000000))
    syn = struct.pack(">HHIIIBB", 0x8003, 1, len(bomb) + 10, 1, 0, 0, 0) + bomb
    for garbage in (b"\xff" * 100, syn):
        client = Spdy(exec_url(berth, c, "true"))
        client.sock.sendall(garbage)
        client.receive()
        assert client.closed, garbage[:16]
        client.close()
    client = WebSocket(berth.runtime.PortForward(pod_sandbox_id=pod).url, "SPDY/3.1+portforward.k8s.io")
    client.frame(2, syn)
    assert client.receive().closed, "a bomb in SPDY in WebSocket"
    client.close()
    for garbage in (b"\xff" * 100, b"\x82\x05hello", b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"mask"):
        client = WebSocket(exec_url(berth, c, "sleep", "700"))
        client.sock.sendall(garbage)
        client.receive()
        assert client.closed, garbage[:16]
        client.close()
    url = urllib.parse.urlsplit(exec_url(berth, c, "true"))
    idle = [socket.create_connection((url.hostname, url.port)) for _ in range(20)]
    for s in idle:
        s.close()
    wait_for(lambda: count() <= before, what=f"as few descriptors as before: {before}")
    wait_for(lambda: "700" not in berth.exec_sync(c, "ps")[1], what="the end of the commands")


def test_sessions_are_limited(berth):
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    c = berth.run(berth.run_pod(), "sleep", "1000")
    url = exec_url(berth, c, "true")
    where = urllib.parse.urlsplit(url)
    idle = []

    def there_is_no_room():  # who asks for nothing is let go after ten seconds, and so may have gone meanwhile
        for _ in range(1000 - stats(berth)["sessions"]):
            idle.append(socket.create_connection((where.hostname, where.port)))
        wait_for(lambda: stats(berth)["sessions"] == 1000 or select.select(idle[:1], [], [], 0)[0])
        return refusal(exec_url(berth, c, "true"))

    status, words = wait_for(there_is_no_room, what="a refusal")
    assert status == 503 and "too many" in words, (status, words)
    assert stats(berth)["refused_sessions"] >= 1
    for s in idle[:10]:
        s.close()
    wait_for(lambda: run_if_possible(berth, c), what="room for another session")
    answers = [s.recv(100) for s in idle[10:]]  # they had their ten seconds
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers), answers[:3]
    assert run(berth, c, "true").exit_code() == 0


def refusal(url):
    try:
        Spdy(url).close()
    except Refused as e:
        return e.args
    return None


def run_if_possible(berth, c):
    try:
        return run(berth, c, "true").exit_code() == 0
    except Refused:
        return False
