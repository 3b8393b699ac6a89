# SPDX-License-Identifier: Apache-2.0
"""Streams over TLS: certificates of both ends, versions, rotation, and the process that speaks it."""
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import time

from authority import Authority, openssl
from berth import PATIENCE, program, wait_for
from streaming import Refused, Spdy, WebSocket, connect, exec_url

STARTED = False


def encrypted(**tls):
    return {"tls": {"enabled": True, "helper": program("berth-tls"), **{key: str(value) for key, value in tls.items()}}}


def start(berth, **tls):
    berth.config["streaming"] = encrypted(**tls)
    berth.start_daemon()
    return berth.run(berth.run_pod(), "sleep", "1000")


def refused(url, trust):
    """It is not let in: the handshake fails, or with TLS 1.3 what follows it."""
    try:
        Spdy(url, trust=trust)
    except (ssl.SSLError, ConnectionError):
        return True
    except Refused as e:
        return e.args[0] == 0
    return False


def stats(berth):
    return json.loads(berth.runtime.Status(verbose=True).info["streaming"])


def execute(berth, c, trust, *cmd, transport=Spdy, **streams):
    client = transport(exec_url(berth, c, *cmd, **streams), trust=trust)
    if transport is Spdy:
        client.open(*["error"] + ["stdin"] * streams.get("stdin", False) + ["stdout", "stderr"])
    return client


def test_self_signed(berth):
    c = start(berth)
    url = exec_url(berth, c, "true")
    assert url.startswith("https://127.0.0.1:"), url
    assert Spdy(url).open("error", "stdout", "stderr").exit_code() == 0
    # The certificate names our addresses, and is its own authority.
    pem = ssl.get_server_certificate(url.split("/")[2].split(":"))
    trust = ssl.create_default_context(cadata=pem)
    for transport in (Spdy, WebSocket):
        client = execute(berth, c, trust, "sh", "-c", "echo out; exit 3", transport=transport)
        assert client.exit_code() == 3 and client.output(client.stdout) == "out\n"
    client = execute(berth, c, trust, "sh", "-c", "cat; head -c 10000000 /dev/zero; echo -n last", stdin=True)
    client.send(client.stdin, b"x" * 100000, end=True)
    assert client.exit_code() == 0
    got = client.data[client.stdout]
    assert len(got) == 10100004 and got.endswith(b"last"), len(got)
    # Who does not speak TLS is told so.
    plain = connect(url.replace("https", "http"))
    plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"use https" in plain.recv(1000)
    plain.close()
    wait_for(lambda: stats(berth)["refused_tls"] >= 1)


def test_certificates_of_clients(berth):
    ours, others = Authority(berth.dir / "ours").sign("server").sign("client"), Authority(berth.dir / "others")
    others.sign("client")
    c = start(berth, cert_file=ours.folder / "server.crt", key_file=ours.folder / "server.key",
              client_ca_file=ours.folder / "ca.crt")
    for transport in (Spdy, WebSocket):
        assert execute(berth, c, ours.trust(ours), "true", transport=transport).exit_code() == 0
    before = stats(berth)["refused_tls"]
    assert refused(exec_url(berth, c, "true"), ours.trust())
    assert refused(exec_url(berth, c, "true"), ours.trust(others))
    assert refused(exec_url(berth, c, "true"), others.trust(ours)), "it has a certificate of somebody else"
    wait_for(lambda: stats(berth)["refused_tls"] == before + 3)
    log = berth.log_file.read_text()
    assert "peer did not return a certificate" in log and "the client's certificate: " in log, log[-2000:]


def test_versions(berth):
    ours = Authority(berth.dir / "ours").sign("server")
    c = start(berth, cert_file=ours.folder / "server.crt", key_file=ours.folder / "server.key", min_version="VersionTLS13")
    new, old = ours.trust(), ours.trust()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert execute(berth, c, new, "true").exit_code() == 0
    assert refused(exec_url(berth, c, "true"), old)
    berth.stop_daemon()
    berth.config["streaming"]["tls"]["min_version"] = "1.2"
    berth.start_daemon()
    assert execute(berth, c, old, "true").exit_code() == 0
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert refused(exec_url(berth, c, "true"), old)


def test_files_that_change_are_used_by_the_next_connection(berth):
    first, second = Authority(berth.dir / "first").sign("server"), Authority(berth.dir / "second").sign("server")
    cert, key = berth.dir / "tls.crt", berth.dir / "tls.key"
    shutil.copy(first.folder / "server.crt", cert)
    shutil.copy(first.folder / "server.key", key)
    c = start(berth, cert_file=cert, key_file=key)
    lasting = execute(berth, c, first.trust(), "sh", "-c", "echo here; sleep 3; echo there")
    lasting.receive(lambda: "here" in lasting.output(lasting.stdout))
    shutil.copy(second.folder / "server.crt", cert)  # does not go with the key yet
    assert execute(berth, c, first.trust(), "true").exit_code() == 0
    assert "the certificate of before stays in use" in berth.log_file.read_text()
    shutil.copy(second.folder / "server.key", key)
    assert execute(berth, c, second.trust(), "true").exit_code() == 0
    assert refused(exec_url(berth, c, "true"), first.trust())
    assert lasting.exit_code() == 0 and lasting.output(lasting.stdout) == "here\nthere\n"


def fails_to_start(berth, words, **tls):
    berth.config["streaming"] = encrypted(**tls)
    berth.start_daemon(wait=False)
    assert berth.daemon.wait(PATIENCE) in (1, 2)
    last = berth.log_file.read_text().splitlines()[-1]
    assert words in last, last


def test_what_is_wrong_with_the_files_is_told_at_the_start(berth):
    ours = Authority(berth.dir / "ours").sign("server").sign("other", 2)
    good = {"cert_file": ours.folder / "server.crt", "key_file": ours.folder / "server.key"}
    fails_to_start(berth, "key values mismatch", **{**good, "key_file": ours.folder / "other.key"})
    fails_to_start(berth, "none.crt: No such file or directory", **{**good, "cert_file": "/none.crt"})
    fails_to_start(berth, "no start line", **{**good, "cert_file": ours.folder / "server.key"})
    fails_to_start(berth, "none.ca: No such file or directory", **good, client_ca_file="/none.ca")
    openssl("ec", "-aes128", "-passout", "pass:word", "-in", ours.folder / "server.key", "-out", ours.folder / "locked")
    fails_to_start(berth, f"the key {ours.folder}/locked has a passphrase", **{**good, "key_file": ours.folder / "locked"})
    fails_to_start(berth, "only one of cert_file and key_file", cert_file=ours.folder / "server.crt")
    berth.config["streaming"] = encrypted(**good)
    berth.start_daemon()


def helper(berth):
    children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(berth.daemon.pid)], capture_output=True,
                              text=True, check=True).stdout.split()
    return int(children[children.index("berth-tls") - 1])


def test_the_process_is_killed(berth):
    c = start(berth)
    status = pathlib.Path(f"/proc/{helper(berth)}/status").read_text(encoding="ascii")
    assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status and "CapEff:\t0000000000000004" in status, status
    clients = [execute(berth, c, None, "sh", "-c", "echo here; sleep 7777", transport=transport)
               for transport in (Spdy, WebSocket)]
    for client in clients:
        client.receive(lambda: "here" in client.output(client.stdout))
    first = helper(berth)
    os.kill(first, signal.SIGKILL)
    for client in clients:
        assert client.receive().closed
    wait_for(lambda: not os.path.exists(f"/proc/{first}"), what="the end of the zombie, though nobody comes")
    wait_for(lambda: "7777" not in berth.exec_sync(c, "ps")[1], what="the end of the commands")
    assert execute(berth, c, None, "true").exit_code() == 0
    assert helper(berth) != first


def test_clients_that_vanish_and_berthd_that_ends(berth):
    c = start(berth)
    count = lambda pid: len(os.listdir(f"/proc/{pid}/fd"))
    assert execute(berth, c, None, "true").exit_code() == 0
    time.sleep(0.5)
    before = count(berth.daemon.pid), count(helper(berth))
    silent = [connect(exec_url(berth, c, "true").replace("https", "http")) for _ in range(20)]
    for i in range(20):
        client = execute(berth, c, None, "sh", "-c", "echo here; sleep 7777", transport=(Spdy, WebSocket)[i % 2])
        client.receive(lambda: "here" in client.output(client.stdout))
        client.close()
    assert all(s.recv(1) == b"" for s in silent)  # who says nothing is let go after ten seconds
    wait_for(lambda: stats(berth)["refused_tls"] == len(silent), what="their count")
    # One that does not read, either.
    client = execute(berth, c, None, "sh", "-c", "echo here; exec yes")
    client.receive(lambda: "here" in client.output(client.stdout))
    time.sleep(0.5)
    client.close()
    wait_for(lambda: "7777" not in berth.exec_sync(c, "ps")[1] and " yes" not in berth.exec_sync(c, "ps")[1])
    wait_for(lambda: count(berth.daemon.pid) <= before[0] and count(helper(berth)) <= before[1],
             what=f"as few descriptors as {before}")
    client = execute(berth, c, None, "sh", "-c", "echo here; sleep 7777")
    client.receive(lambda: "here" in client.output(client.stdout))
    process = helper(berth)
    assert berth.stop_daemon() == 0
    assert "berthd is stopping" in client.status()["message"]
    wait_for(lambda: not os.path.exists(f"/proc/{process}"), what="the end of berth-tls")
    berth.start_daemon()
    process = helper(berth)
    berth.kill_daemon()
    wait_for(lambda: not os.path.exists(f"/proc/{process}"), what="the end of berth-tls")
    berth.start_daemon()
