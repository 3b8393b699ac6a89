# SPDX-License-Identifier: Apache-2.0
"""The address of the streaming server, in all the forms that it may have."""
import socket
import subprocess

from berth import PATIENCE
from streaming import exec_url, run

STARTED = False


def where(berth, address):
    berth.config["streaming"] = {"address": address}
    berth.start_daemon()
    c = berth.run(berth.run_pod(), "sleep", "1000")
    url = exec_url(berth, c, "true")
    assert run(berth, c, "true").exit_code() == 0
    berth.stop_daemon()
    return url.removeprefix("http://").rsplit(":", 1)[0]


def test_addresses_and_names(berth):
    for address, expected in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]"), ("0.0.0.0", "0.0.0.0"),
                              ("localhost", ("127.0.0.1", "[::1]"))):
        assert where(berth, address) in expected, address
    berth.start_daemon()


def test_a_port_of_its_own(berth):
    """Also when berthd is killed and its clients are still there."""
    berth.config["streaming"] = {"port": 10777}
    berth.start_daemon()
    c = berth.run(berth.run_pod(), "sleep", "1000")
    for _ in range(3):
        client = run(berth, c, "sh", "-c", "echo here; sleep 7775")
        client.receive(lambda: "here" in client.output(client.stdout))
        assert exec_url(berth, c, "true").startswith("http://127.0.0.1:10777/")
        berth.restart()
    with socket.create_server(("127.0.0.1", 10778)):
        berth.stop_daemon()
        berth.config["streaming"] = {"port": 10778}
        berth.start_daemon(wait=False)
        assert berth.daemon.wait(PATIENCE) == 1
        assert "Address already in use" in berth.log_file.read_text().splitlines()[-1]
    berth.start_daemon()


def test_an_empty_one_is_the_hosts_own(berth):
    subprocess.run(["ip", "address", "add", "10.99.1.2/24", "dev", "lo"], check=True)
    subprocess.run(["ip", "route", "add", "default", "dev", "lo", "src", "10.99.1.2"], check=True)
    try:
        assert where(berth, "") == "10.99.1.2"
    finally:
        subprocess.run(["ip", "route", "del", "default"], check=True)
        subprocess.run(["ip", "address", "del", "10.99.1.2/24", "dev", "lo"], check=True)
    berth.config["streaming"] = {}
    berth.start_daemon()


def test_one_that_is_not_ours_is_told_at_the_start(berth):
    for address, words in (("192.0.2.7", "Cannot assign requested address"), ("no.such.invalid", "neither an address")):
        berth.config["streaming"] = {"address": address}
        berth.start_daemon(wait=False)
        assert berth.daemon.wait(PATIENCE) == 1
        last = berth.log_file.read_text().splitlines()[-1]
        assert words in last and address in last, last
    berth.config["streaming"] = {}
    berth.start_daemon()
