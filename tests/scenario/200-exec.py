# SPDX-License-Identifier: Apache-2.0
"""Exec without a terminal: outputs, exit codes, stdin, and clients that are slow or vanish."""
import pathlib
import threading
import time

from berth import wait_for
from streaming import Spdy, WebSocket, run

PROTOCOLS = ["v4.channel.k8s.io", "v5.channel.k8s.io", "v4.base64.channel.k8s.io"]


def container(berth):
    return berth.run(berth.run_pod(), "sleep", "1000")


def processes(berth, where, name):
    return [line for line in berth.exec_sync(where, "ps")[1].splitlines() if name in line and "ps" != line.split()[-1]]


def test_outputs_are_apart_and_the_exit_code_is_told(berth):
    c = container(berth)
    script = "echo out; echo err >&2; exit 3"
    client = run(berth, c, "sh", "-c", script)
    assert client.exit_code() == 3, client.status()
    assert (client.output(client.stdout), client.output(client.stderr)) == ("out\n", "err\n")
    assert "exit code 3" in client.status()["message"], client.status()
    for protocol in PROTOCOLS:
        client = run(berth, c, "sh", "-c", script, transport=lambda url: WebSocket(url, protocol))
        assert client.exit_code() == 3 and client.code == 1000, client.code
        assert (client.output(1), client.output(2)) == ("out\n", "err\n"), protocol


def test_older_protocols_tell_the_end_in_words(berth):
    c = container(berth)
    client = Spdy(berth.runtime.Exec(container_id=c, cmd=["false"], stdout=True).url, "v2.channel.k8s.io")
    client.open("error", "stdout").receive(client.error_is_over)
    assert "exit code 1" in client.output(client.error), client.output(client.error)


def test_stdin_and_its_end(berth):
    c = container(berth)
    data = bytes(range(256)) * 8192  # 2 MiB
    client = run(berth, c, "sh", "-c", "cat; echo end", stdin=True)
    feeder = threading.Thread(target=client.send, args=(client.stdin, data, True))
    feeder.start()
    assert client.exit_code() == 0
    feeder.join()
    assert client.data[client.stdout] == data + b"end\n"
    client = run(berth, c, "sh", "-c", "cat; echo end", stdin=True,
                 transport=lambda url: WebSocket(url, "v5.channel.k8s.io"))
    client.send(0, b"hello ", end=True)
    assert client.exit_code() == 0 and client.output(1) == "hello end\n"


def test_the_last_byte_is_there_and_grandchildren_do_not_matter(berth):
    c = container(berth)
    for transport in (Spdy, WebSocket):
        client = run(berth, c, "sh", "-c", "sleep 100 & head -c 10000000 /dev/zero; echo -n last", transport=transport)
        assert client.exit_code() == 0
        got = client.data[client.stdout]
        assert len(got) == 10000004 and got.endswith(b"last"), len(got)


def test_a_slow_reader_holds_up_the_command_and_loses_nothing(berth):
    c = container(berth)
    client = run(berth, c, "sh", "-c", "head -c 20000000 /dev/zero; echo done >/tmp/done; echo -n last")
    before = rss(berth)
    time.sleep(1)
    assert berth.exec_sync(c, "cat", "/tmp/done")[0] != 0, "it did not wait for its reader"
    assert rss(berth) < before + 12000, (before, rss(berth))
    assert client.exit_code() == 0 and len(client.data[client.stdout]) == 20000004


def rss(berth):
    status = pathlib.Path(f"/proc/{berth.daemon.pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0])


def test_a_client_that_vanishes_ends_its_command(berth):
    c = container(berth)
    for transport in (Spdy, WebSocket):
        for streams in ({}, {"stdin": True}, {"tty": True, "stdin": True}):
            client = run(berth, c, "sh", "-c", "echo here; trap '' HUP; sleep 777", transport=transport, **streams)
            client.receive(lambda: "here" in client.output(client.stdout))
            client.close()
            wait_for(lambda: not processes(berth, c, "sh -c echo here"), what="the end of the command")
    # One that does not read what its client sends, either.
    client = run(berth, c, "sleep", "778", stdin=True)
    client.sock.settimeout(1)
    try:
        client.send(client.stdin, bytes(10000000))
        raise AssertionError("there is no back-pressure")
    except TimeoutError:
        client.close()
    wait_for(lambda: not processes(berth, c, "sleep 778"), what="the end of the command")


def test_a_program_that_does_not_exist(berth):
    c = container(berth)
    for transport in (Spdy, WebSocket):
        status = run(berth, c, "/no/such/program", transport=transport).status()
        assert (status["status"], status["reason"], status["code"]) == ("Failure", "InternalError", 500), status
        assert "no/such/program" in status["message"], status


def test_streams_that_were_not_asked_for(berth):
    c = container(berth)
    client = run(berth, c, "sh", "-c", "cat; echo out; echo err >&2", stdout=True, stderr=False)
    assert client.exit_code() == 0 and client.output(client.stdout) == "out\n"
