#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pulls from docker-registry: plain, with TLS and a password, and with a token server. Exits with 77 when it or skopeo
is not installed. The argument is the program fetch_image."""
import base64
import gzip
import hashlib
import json
import os
import shutil
import http.server
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

FETCH = sys.argv[1]
# bcrypt of "open sesame"
HTPASSWD = "ali:$2b$04$S57aD4z.grK8QTzLl8WOJeWaW9SMT/xihBpyGaPgQQPeDd1epLtmi\n"


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_image(folder):
    """An OCI layout with an index of two platforms; returns the size of what a pull gets."""
    blobs = os.path.join(folder, "blobs", "sha256")
    os.makedirs(blobs)

    def put(media_type, data, **more):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        name = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, name), "wb") as f:
            f.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + name, "size": len(data), **more}

    entries, sizes = [], {}
    for arch in ("amd64", "arm64"):
        layers = [put("application/vnd.oci.image.layer.v1.tar+gzip",
                      gzip.compress(os.urandom(size))) for size in (3 << 20, 100)]
        config = put("application/vnd.oci.image.config.v1+json",
                     {"architecture": arch, "os": "linux", "config": {}, "rootfs": {
                         "type": "layers", "diff_ids": [layer["digest"] for layer in layers]}})
        sizes[arch] = config["size"] + sum(layer["size"] for layer in layers)
        manifest = {"schemaVersion": 2, "config": config, "layers": layers,
                    "mediaType": "application/vnd.oci.image.manifest.v1+json"}
        entries.append(put(manifest["mediaType"], manifest,
                           platform={"os": "linux", "architecture": arch}))
    index = put("application/vnd.oci.image.index.v1+json", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries}, annotations={"org.opencontainers.image.ref.name": "1"})
    with open(os.path.join(folder, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    with open(os.path.join(folder, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [index]}, f)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine)
    return index["digest"], sizes.get(machine)


def make_certificates(folder):
    def path(name):
        return os.path.join(folder, name)

    with open(path("ext"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
        "/CN=test authority", "-keyout", path("ca.key"), "-out", path("ca.pem"))
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=registry", "-keyout",
        path("server.key"), "-out", path("server.csr"))
    run("openssl", "x509", "-req", "-in", path("server.csr"), "-CA", path("ca.pem"), "-CAkey",
        path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", path("ext"), "-out",
        path("server.pem"))


def make_client(folder, authority, *kind):
    """A certificate for clients, by an authority of its own; returns the files' names."""
    name = lambda end: os.path.join(folder, f"{authority}-client.{end}")
    ca = [os.path.join(folder, f"{authority}.{end}") for end in ("pem", "key")]
    run("openssl", "req", "-x509", *(kind or ("-newkey", "rsa:2048")), "-nodes", "-days", "2", "-subj", f"/CN={authority}",
        "-keyout", ca[1], "-out", ca[0])
    run("openssl", "req", *(kind or ("-newkey", "rsa:2048")), "-nodes", "-subj", "/CN=client", "-keyout", name("key"), "-out", name("csr"))
    run("openssl", "x509", "-req", "-in", name("csr"), "-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-days", "2",
        "-out", name("pem"))
    return name("pem"), name("key")


def start_registry(folder, name, more="", data=""):
    port = free_port()
    config = os.path.join(folder, name + ".yml")
    with open(config, "w") as f:
        f.write(f"version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem:\n"
                f"    rootdirectory: {folder}/{data or name}\nhttp:\n  addr: 127.0.0.1:{port}\n{more}")
    log = open(os.path.join(folder, name + ".log"), "w")
    process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.05)
    process.kill()
    sys.exit("docker-registry does not listen: " + open(log.name).read())


class TokenServer(http.server.BaseHTTPRequestHandler):
    """Signs what docker-registry asks for: all for ali, and pulls of public/ for anybody."""
    folder = ""
    asked = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        basic = self.headers.get("Authorization", "")[6:]
        self.serve("GET", query, base64.b64decode(basic).decode(), "token")

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form["grant_type"] == ["refresh_token"]:
            user = "ali:open sesame" if form["refresh_token"] == ["ali's identity"] else "x:"
        else:
            user = form["username"][0] + ":" + form["password"][0]
        self.serve("POST", form, user, "access_token")

    def serve(self, method, query, user, key):
        scopes = [scope for value in query.get("scope", []) for scope in value.split(" ")]
        self.asked.append((method, user.partition(":")[0], scopes))
        if user not in ("", "ali:open sesame"):
            return self.answer(401, {})
        access = []
        for kind, name, actions in (scope.split(":") for scope in scopes):
            allowed = actions.split(",") if user else ["pull"] if name.startswith("public/") else []
            access.append({"type": kind, "name": name, "actions": allowed})
        return self.answer(200, {key: self.sign(access), "expires_in": 300})

    def sign(self, access):
        def pack(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        now = int(time.time())
        der = subprocess.run(["openssl", "x509", "-in", f"{self.folder}/server.pem", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        body = {"iss": "issuer", "sub": "", "aud": "service", "exp": now + 300, "nbf": now - 10, "iat": now - 10,
                "jti": str(time.monotonic_ns()), "access": access}
        text = b".".join(pack(json.dumps(part).encode()) for part in (head, body))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"{self.folder}/server.key"], input=text,
                                   check=True, capture_output=True).stdout
        return (text + b"." + pack(signature)).decode()

    def answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def start_token_server(folder):
    TokenServer.folder = folder
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Suite:
    def __init__(self, folder):
        self.folder = folder
        self.count = self.failed = 0

    def hosts(self, domain, text):
        """A folder with a hosts.toml for the domain."""
        root = tempfile.mkdtemp(dir=self.folder)
        os.makedirs(os.path.join(root, domain))
        with open(os.path.join(root, domain, "hosts.toml"), "w") as f:
            f.write(text)
        return root

    def check(self, name, wanted, *args):
        done = subprocess.run([FETCH, *args], capture_output=True, text=True, timeout=60)
        good = (done.stdout.strip() == wanted if done.returncode == 0 else
                wanted in done.stderr)
        self.count += 1
        self.failed += not good
        print("ok" if good else "not ok", name, "" if good else f"{done}, wanted {wanted}")


def check_all(suite, folder, plain, tls, image):
    digest, size = image
    whole = f"{digest} {size}"
    ref = f"127.0.0.1:{plain}/some/thing"
    user = ("ali", "open sesame")
    server = f'server = "https://127.0.0.1:{tls}"\n'
    ca = suite.hosts("up.example", server + f'ca = "{folder}/ca.pem"\n')
    suite.check("plain by tag", whole, ref + ":1", "")
    suite.check("plain by digest", whole, f"{ref}@{digest}", "")
    suite.check("no such tag", "answered 404: manifest unknown", ref + ":2", "")
    suite.check("no such repository", "NOT_FOUND", f"127.0.0.1:{plain}/none:1", "")
    suite.check("loopback needs no certificate", whole, f"127.0.0.1:{tls}/some/thing:1", "", *user)
    suite.check("an authority of ours", whole, "up.example/some/thing:1", ca, *user)
    suite.check("not trusted", "certificate that is not trusted", "up.example/some/thing:1",
                suite.hosts("up.example", server), *user)
    suite.check("verification skipped", whole, "up.example/some/thing:1",
                suite.hosts("up.example", server + "skip_verify = true\n"), *user)
    suite.check("no credentials", "UNAUTHENTICATED", "up.example/some/thing:1", ca)
    suite.check("wrong password", "pull access denied", "up.example/some/thing:1", ca, "ali", "x")
    suite.check("a mirror that is down", whole, "up.example/some/thing:1", suite.hosts(
        "_default", f'server = "http://127.0.0.1:{plain}"\n[host."https://127.0.0.1:1"]\n'))
    suite.check("http where TLS was meant", whole, "up.example/some/thing:1", suite.hosts(
        "up.example", f'server = "http://127.0.0.1:{plain}"\nskip_verify = true\n'))
    suite.check("https where http was said", "Client sent an HTTP request to an HTTPS server", "up.example/some/thing:1", suite.hosts(
        "up.example", f'server = "http://127.0.0.1:{tls}"\n'))


def check_clients(suite, folder, port, pairs, image):
    """A registry that wants a client's certificate by the authority "right"."""
    whole, name = f"{image[0]} {image[1]}", "up.example/some/thing:1"
    both = os.path.join(folder, "both.pem")
    with open(both, "w") as f:
        f.write(open(pairs["right"][0]).read() + open(pairs["right"][1]).read())
    secret = os.path.join(folder, "secret.key")
    run("openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", pairs["right"][1], "-out", secret)
    def hosts(client):
        return suite.hosts("up.example", f'server = "https://127.0.0.1:{port}"\nca = "{folder}/ca.pem"\nclient = {json.dumps(client)}\n')

    suite.check("the client's certificate that fits", whole, name, hosts([pairs["other"], pairs["third"], pairs["right"]]))
    suite.check("wherever it stands", whole, name, hosts([pairs["right"], pairs["other"]]))
    suite.check("certificate and key in one file", whole, name, hosts([pairs["other"], [both, ""]]))
    suite.check("as one name", whole, name, hosts(both))
    suite.check("no certificate that fits", "UNAVAILABLE", name, hosts([pairs["other"], pairs["third"]]))
    for words, wanted, client in (("a certificate that is missing", "No such file", ["/no/such.pem", ""]),
                                  ("a certificate without its key", "no private key", [pairs["right"][0], ""]),
                                  ("another's key", "is not for the key", [pairs["right"][0], pairs["other"][1]]),
                                  ("a key with a passphrase", "passphrase", [pairs["right"][0], secret])):
        suite.check(words, wanted, name, hosts([pairs["right"], client]))


def check_protocol(suite, folder):
    """Berth's requests in the registry's log, by their version: HTTP/2 where TLS can agree on it."""
    def versions(name):
        with open(os.path.join(folder, name + ".log")) as log:
            return {line.split('"')[1].split()[-1] for line in log if '"berth/' in line and '"GET ' in line}

    seen = versions("tls"), versions("plain")
    suite.count += 1
    good = seen == ({"HTTP/2.0"}, {"HTTP/1.1"})
    suite.failed += not good
    print("ok" if good else "not ok", "HTTP/2 with TLS", "" if good else seen)


def check_tokens(suite, token, image):
    whole = f"{image[0]} {image[1]}"
    private, public = (f"127.0.0.1:{token}/{name}/thing:1" for name in ("some", "public"))
    suite.check("a token for a user", whole, private, "", "ali", "open sesame")
    suite.check("a token for anybody", whole, public, "")
    suite.check("a token that allows nothing", "pull access denied", private, "")
    suite.check("a token server that refuses", "authorization failed", private, "", "ali", "x")
    suite.check("an identity token", whole, private, "", "", "ali's identity")
    good = ("POST", "ali", ["repository:some/thing:pull"]) in TokenServer.asked
    suite.count += 1
    suite.failed += not good
    print("ok" if good else "not ok", "tokens are asked for by POST", "" if good else TokenServer.asked)


def main():
    if not all(shutil.which(p) for p in ("docker-registry", "skopeo", "openssl")):
        print("docker-registry, skopeo or openssl is not installed")
        sys.exit(77)
    processes = []
    with tempfile.TemporaryDirectory(prefix="berth-registry-") as folder:
        suite = Suite(folder)
        try:
            make_certificates(folder)
            image = make_image(os.path.join(folder, "image"))
            with open(os.path.join(folder, "htpasswd"), "w") as f:
                f.write(HTPASSWD)
            process, plain = start_registry(folder, "plain")
            processes.append(process)
            process, tls = start_registry(
                folder, "tls", f"  tls:\n    certificate: {folder}/server.pem\n"
                f"    key: {folder}/server.key\nauth:\n  htpasswd:\n    realm: test\n"
                f"    path: {folder}/htpasswd\n")
            processes.append(process)
            process, token = start_registry(
                folder, "token", f"auth:\n  token:\n    realm: http://127.0.0.1:{start_token_server(folder)}/token\n"
                f"    service: service\n    issuer: issuer\n    rootcertbundle: {folder}/ca.pem\n")
            processes.append(process)
            clients = {"right": make_client(folder, "right"), "other": make_client(folder, "other"),
                       "third": make_client(folder, "third", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")}
            process, mutual = start_registry(
                folder, "mutual", f"  tls:\n    certificate: {folder}/server.pem\n    key: {folder}/server.key\n"
                f"    clientcas: [{folder}/right.pem]\n", data="plain")
            processes.append(process)
            creds = ("--dest-creds", "ali:open sesame")
            for host, more in ((f"{plain}/some", ()), (f"{tls}/some", creds), (f"{token}/some", creds),
                               (f"{token}/public", creds)):
                run("skopeo", "copy", "--insecure-policy", "--all", "--dest-tls-verify=false",
                    *more, f"oci:{folder}/image:1", f"docker://127.0.0.1:{host}/thing:1")
            check_all(suite, folder, plain, tls, image)
            check_protocol(suite, folder)
            check_clients(suite, folder, mutual, clients, image)
            check_tokens(suite, token, image)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    print(f"{suite.count - suite.failed} passed, {suite.failed} failed")
    sys.exit(suite.failed > 0)


main()
