# SPDX-License-Identifier: Apache-2.0
"""Pulls from a registry made of a few lines: who is asked, with what, by which way."""
import base64
import gzip
import http.server
import json
import os
import socket
import threading

import harness

OPEN, CLOSED = "open/app", "closed/app"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Registry:
    """Serves blobs and manifests from memory. What begins with closed/ wants user:pass."""

    def __init__(self, embed=None, tls=None, family=socket.AF_INET):
        layer = harness.make_tar(harness.entry("file", data=b"x"))
        self.blobs, self.asked = {}, []
        config = self.add({"architecture": "amd64", "os": "linux", "config": {},
                           "rootfs": {"type": "layers", "diff_ids": [harness.sha256(layer)]}}, harness.CONFIG)
        if embed:
            config["data"] = base64.b64encode(embed(self.blobs.pop(config["digest"]))).decode()
        layers = [self.add(gzip.compress(layer), harness.LAYER + "+gzip")]
        self.manifest = self.add({"schemaVersion": 2, "mediaType": harness.MANIFEST, "config": config,
                                  "layers": layers}, harness.MANIFEST)
        server = type("Server", (http.server.ThreadingHTTPServer,), {"address_family": family})
        self.server = server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), self.handler())
        self.host = ("127.0.0.1" if family == socket.AF_INET else "[::1]") + f":{self.server.server_address[1]}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)

    def add(self, value, media_type):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.blobs[harness.sha256(data)] = data
        return {"mediaType": media_type, "digest": harness.sha256(data), "size": len(data)}

    def handler(self):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                name = self.path.partition("?")[0].rpartition("/")[2]
                digest = registry.manifest["digest"] if name == "1" else name
                registry.asked.append((self.path, self.headers.get("Authorization")))
                if "/closed/" in self.path and self.headers.get("Authorization") != basic("user", "pass"):
                    return self.answer(401, b"", {"WWW-Authenticate": "Basic realm=x"})
                if digest not in registry.blobs:
                    return self.answer(404, b"", {})
                return self.answer(200, registry.blobs[digest], {
                    "Content-Type": harness.MANIFEST if "/manifests/" in self.path else "application/octet-stream",
                    "Docker-Content-Digest": digest})

            do_HEAD = do_GET

            def answer(self, status, body, headers):
                self.send_response(status)
                for header in headers.items():
                    self.send_header(*header)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        return Handler

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def job(folder, image, op="pull", **more):
    return harness.run_job({"op": op, "root": str(folder / "root"), "image": image,
                            "platform": {"os": "linux", "architecture": "amd64"}, **more})


def auth_file(folder, host, user="user", password="pass"):
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {host: {"auth": basic(user, password)[6:]}}}))
    return str(path)


def hosts(folder, domain, text):
    (folder / "hosts" / domain).mkdir(parents=True)
    (folder / "hosts" / domain / "hosts.toml").write_text(text)
    return [str(folder / "hosts")]


def test_a_configuration_may_come_with_the_manifest(folder):
    with Registry(embed=lambda data: data) as registry:
        outcome = job(folder, f"{registry.host}/{OPEN}:1")
        assert outcome.images, outcome.message()
    with Registry(embed=lambda data: data.replace(b"linux", b"LINUX")) as registry:
        assert "the data in its descriptor" in job(folder, f"{registry.host}/{OPEN}:1").message()


def test_a_registry_may_have_a_new_address(folder):
    try:
        registry = Registry(family=socket.AF_INET6)
    except OSError as e:
        raise harness.Skip(f"no IPv6 here: {e}") from e
    with registry:
        image = f"{registry.host}/{CLOSED}:1"
        outcome = job(folder, image, auth_file=auth_file(folder, registry.host))
        assert outcome.images and outcome.images[0]["names"][0] == image, outcome.message()
        root = folder / "hosts" / (registry.host.replace("]:", "]_") + "_")
        root.mkdir(parents=True)
        (root / "hosts.toml").write_text(f'server = "http://{registry.host}"\n')
        events = job(folder, image, "explain", hosts_dirs=[str(folder / "hosts")], auth_file=auth_file(folder, registry.host)).events
        assert events[0]["source"] == str(root / "hosts.toml") and events[1]["digest"], events
    outcome = job(folder, image)
    assert f"connect to {registry.host}: Connection refused" in outcome.message(), outcome.message()


def test_credentials_are_taken_from_a_file(folder):
    with Registry() as registry:
        image = f"{registry.host}/{CLOSED}:1"
        assert "there are none for it" in job(folder, image).message()
        outcome = job(folder, image, auth_file=auth_file(folder, registry.host))
        assert outcome.images, outcome.message()
        outcome = job(folder, image, auth_file=auth_file(folder, registry.host + "/closed", "user", "wrong"))
        assert outcome.code == 1 and "pull access denied" in outcome.message()
        outcome = job(folder, image, auth_file=auth_file(folder, registry.host, "user", "wrong"),
                      auth={"username": "user", "password": "pass"})
        assert outcome.images, outcome.message()


def test_a_proxy_is_asked_for_what_is_elsewhere(folder):
    with Registry() as registry:
        where = hosts(folder, "far.example", 'server = "http://far.example"')
        proxy = {"http": f"http://{registry.host}"}
        outcome = job(folder, f"far.example/{OPEN}:1", hosts_dirs=where, proxy=proxy)
        assert outcome.images, outcome.message()
        assert registry.asked[0][0].startswith("http://far.example/v2/"), registry.asked
        proxy["none"] = ".example"
        outcome = job(folder, f"far.example/{OPEN}:1", hosts_dirs=where, proxy=proxy)
        assert "far.example" in outcome.message() and outcome.code == 1, outcome.events


class Tunnel:
    """A proxy for https that wants a password; wherever one wants to go, it leads to the same port."""

    def __init__(self, port):
        self.asked = []
        tunnel = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_CONNECT(self):
                tunnel.asked.append((self.path, self.headers.get("Proxy-Authorization"), self.headers.get("Authorization")))
                if self.headers.get("Proxy-Authorization") != basic("me", "s3cret"):
                    return self.send_error(407)
                self.send_response(200)
                self.end_headers()
                with socket.create_connection(("127.0.0.1", port)) as there:
                    back = threading.Thread(target=carry, args=(there, self.connection), daemon=True)
                    back.start()
                    carry(self.connection, there)
                    back.join()
                self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_a_proxy_leads_to_a_secure_registry_and_sees_nothing(folder):
    """Its password is for the proxy, and the registry's is not."""
    tls, certificate = harness.make_tls(folder, "DNS:far.example")
    with Registry(tls=tls) as registry:
        tunnel = Tunnel(registry.server.server_port)
        where = hosts(folder, "far.example", f'server = "https://far.example"\nca = "{certificate}"\n')
        more = {"hosts_dirs": where, "auth_file": auth_file(folder, "far.example")}
        outcome = job(folder, f"far.example/{CLOSED}:1", proxy={"https": f"http://me:s3cret@{tunnel.host}"}, **more)
        assert outcome.images, outcome.message()
        assert {path for path, _, _ in tunnel.asked} == {"far.example:443"}, tunnel.asked
        assert all(own == basic("me", "s3cret") and not leak for _, own, leak in tunnel.asked), tunnel.asked
        outcome = job(folder, f"far.example/{CLOSED}:1", proxy={"https": f"http://me:wr0ng@{tunnel.host}"}, **more)
        assert outcome.code == 1 and "407" in outcome.message() and "wr0ng" not in outcome.message(), outcome.message()
        outcome = job(folder, f"far.example/{CLOSED}:1", proxy={"https": "http://me:s3cret@127.0.0.1:1"}, **more)
        assert "far.example through the proxy 127.0.0.1:1: Connection refused" in outcome.message() and "s3cret" not in outcome.message(), outcome.message()
        tunnel.server.shutdown()
        tunnel.server.server_close()


def test_the_kubelet_learns_that_nobody_answers(folder):
    outcome = job(folder, "127.0.0.1:1/a:1")
    assert outcome.errors[0]["code"] == 2
    assert outcome.message() == ("RegistryUnavailable: pull 127.0.0.1:1/a:1: connect to 127.0.0.1:1: "
                                 "Connection refused"), outcome.message()


def test_explaining_asks_all_hosts_and_pulls_nothing(folder):
    with Registry() as registry, Registry() as empty:
        empty.blobs.clear()
        where = hosts(folder, "up.example", f'server = "http://{registry.host}"\n[host."http://127.0.0.1:1"]\n'
                      f'[host."http://{empty.host}"]\n[host."http://push"]\ncapabilities = ["push"]\n')
        outcome = job(folder, f"up.example/{CLOSED}:1", "explain", hosts_dirs=where,
                      auth_file=auth_file(folder, registry.host))
        assert outcome.code == 0, outcome.message()
        first, *answers = outcome.events
        assert first["name"] == f"up.example/{CLOSED}:1" and first["source"].endswith("up.example/hosts.toml"), first
        assert "Connection refused" in answers[0]["words"] and answers[0]["mirror_of"] == "up.example"
        assert "pull access denied" in answers[1]["words"] and not answers[1]["credentials"], answers[1]
        assert not answers[2]["asked"]
        assert answers[3]["digest"] == registry.manifest["digest"] and answers[3]["chosen"], answers[3]
        assert answers[3]["credentials"] == str(folder / "auth.json")
        assert not (folder / "root").exists()
        assert basic("user", "pass")[6:] not in json.dumps(outcome.events)


def test_what_is_wrong_with_tls_is_said(folder):
    cases = (("DNS:other.example", "2", 'ca = "{}"\n', "has a certificate for other names"),
             ("DNS:far.example", "-1", 'ca = "{}"\n', "has a certificate that has expired"),
             ("DNS:far.example", "2", "", 'not trusted (a "ca" in hosts.toml would make it so)'))
    for number, (names, days, more, words) in enumerate(cases):
        case = folder / str(number)
        case.mkdir()
        tls, certificate = harness.make_tls(case, names, days)
        with Registry(tls=tls) as registry:
            tunnel = Tunnel(registry.server.server_port)
            where = hosts(case, "far.example", 'server = "https://far.example"\n' + more.format(certificate))
            outcome = job(case, f"far.example/{OPEN}:1", hosts_dirs=where, proxy={"https": f"http://me:s3cret@{tunnel.host}"})
            assert outcome.code == 1 and words in outcome.message(), outcome.message()
            tunnel.server.shutdown()
            tunnel.server.server_close()
    with Registry() as registry:
        where = hosts(folder, "plain.example", f'server = "https://{registry.host}"\n')
        outcome = job(folder, f"plain.example/{OPEN}:1", hosts_dirs=where)
        assert outcome.message().endswith('does not speak TLS ("http://" in hosts.toml would do without)'), outcome.message()


def test_a_handshake_may_end_for_many_reasons(folder):
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"

        def hang_up():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.recv(4096)
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        where = hosts(folder, "far.example", f'server = "https://{host}"\n')
        outcome = job(folder, f"far.example/{OPEN}:1", hosts_dirs=where)
        words = "ended the TLS handshake: perhaps it does not speak TLS, or not for that name"
        assert outcome.code == 1 and words in outcome.message(), outcome.message()


def test_configuration_that_is_not_used_is_said(folder):
    """Where it was perhaps the reason: a pull that works despite it stays silent."""
    with Registry() as registry:
        where = hosts(folder, "127.0.0.1", 'server = "x"\ncapabilities = ["pul"]\n')
        os.rename(folder / "hosts/127.0.0.1", folder / "hosts" / (registry.host.replace(":", "_") + "_"))
        (folder / "auth.json").write_text("{")
        more = {"hosts_dirs": where, "auth_file": str(folder / "auth.json")}
        unused = [f'{folder}/hosts/{registry.host.replace(":", "_")}_/hosts.toml is not used: unknown capability "pul"',
                  f"{folder}/auth.json is not used: JSON at byte 0: "]
        outcome = job(folder, f"{registry.host}/{CLOSED}:1", **more)
        assert outcome.code == 1 and all(words in outcome.message() for words in unused), outcome.message()
        assert job(folder, f"{registry.host}/{OPEN}:1", **more).images
        said = job(folder, f"{registry.host}/{OPEN}:1", "explain", **more).events[0]["unused"]
        assert len(said) == 2 and all(text.startswith(words) for text, words in zip(said, unused)), said
        where = hosts(folder, "noca.example", f'server = "http://{registry.host}"\nca = "no.pem"\n')
        outcome = job(folder, f"noca.example/{OPEN}:1", hosts_dirs=where)
        assert outcome.errors[0]["code"] == 9 and "certificate authority: open " in outcome.message(), outcome.errors


harness.main()
