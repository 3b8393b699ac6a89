# SPDX-License-Identifier: Apache-2.0
"""However berthd ends, so do its streams, and the commands in them; containers do not notice."""
from berth import wait_for
from streaming import Spdy, WebSocket, attach, run

LOOP = "while :; do echo x; sleep 0.05; done"


def streams(berth):
    c = berth.sh(berth.run_pod(), LOOP, stdin=True)
    clients = [run(berth, c, "sh", "-c", "echo here; sleep 7777", transport=transport, **more)
               for transport in (Spdy, WebSocket) for more in ({}, {"stdin": True, "tty": True})]
    for client in clients:
        client.receive(lambda: "here" in client.output(client.stdout))
    attached = attach(berth, c)
    attached.receive(lambda: "x" in attached.output(attached.stdout))
    return c, clients, attached


def check_after(berth, c):
    wait_for(lambda: "7777" not in berth.exec_sync(c, "ps")[1], what="the end of the commands")
    assert berth.state(c) == "CONTAINER_RUNNING"
    before = len(berth.log(c))
    wait_for(lambda: len(berth.log(c)) > before)
    assert run(berth, c, "true").exit_code() == 0


def test_it_is_killed(berth):
    c, clients, attached = streams(berth)
    berth.kill_daemon()
    for client in (*clients, attached):
        assert client.receive().closed
    berth.start_daemon()
    check_after(berth, c)


def test_it_is_stopped(berth):
    c, clients, attached = streams(berth)
    assert berth.stop_daemon() == 0
    for client in (*clients, attached):
        status = client.status()
        assert status["status"] == "Failure" and "berthd is stopping" in status["message"], status
    berth.start_daemon()
    check_after(berth, c)


def test_the_container_is_stopped(berth):
    c, clients, attached = streams(berth)
    berth.stop(c)
    assert attached.status()["status"] == "Success"
    for client in clients:
        assert client.exit_code() == 137
