#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves on demand, for registry_test.

The repository's name says how: 127.0.0.1:PORT/reset:1 breaks connections. Prints "<registry port>
<cdn port>" once it listens, and ends when its standard input does. /_count/<key> tells how often
something happened.
"""
import base64
import collections
import email.utils
import hashlib
import http.server
import json
import socket
import sys
import threading
import time
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
COUNTS = collections.Counter()
LOCK = threading.Lock()
CDN_PORT = 0
LAYER = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(32768))  # 1 MiB
CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
BASIC = "Basic " + base64.b64encode(b"user:pass").decode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}


def manifest(scenario):
    if scenario.startswith("huge"):
        return b" " * (5 << 20)
    layer = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", LAYER)
    if scenario == "long":
        layer["size"] -= 1
    if scenario == "foreign":
        layer["urls"] = [f"http://127.0.0.1:{CDN_PORT}/missing",
                         f"http://127.0.0.1:{CDN_PORT}/layer?sig=secret"]
    text = {"schemaVersion": 2, "config": descriptor(
        "application/vnd.oci.image.config.v1+json", CONFIG), "layers": [layer]}
    return json.dumps(text).encode()


def count(key):
    with LOCK:
        COUNTS[key] += 1
        return COUNTS[key]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=None, length=True):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status, code, message, headers=None):
        text = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, text, {"Content-Type": "application/json", **(headers or {})})

    def chunked(self, body, headers):
        self.answer(200, b"", {"Transfer-Encoding": "chunked", **headers}, length=False)
        if self.command != "HEAD":
            for at in range(0, len(body), 100000):
                piece = body[at:at + 100000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

    def abort(self):
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


class Registry(Handler):
    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(url.query)
        parts = url.path.split("/")
        if parts[1] == "_count":
            self.answer(200, str(COUNTS[parts[2]]).encode())
        elif parts[1] == "token":
            self.token(parts[2], self.query)
        elif parts[1] == "v2" and len(parts) == 5 and self.admit(parts[2]):
            getattr(self, parts[3])(parts[2], parts[4])
        elif len(parts) != 5:
            self.answer(404)

    def do_POST(self):
        scenario = self.path.split("/")[2]
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = urllib.parse.parse_qs(form)
        count("post-" + scenario)
        if scenario == "oauthget":
            self.answer(404)
        elif scenario == "oauth" and (form.get("password") == ["p+/&ss"] and
                                      form["grant_type"] == ["password"]):
            self.answer(200, json.dumps({"access_token": "good", "expires_in": 300}).encode())
        elif scenario == "refresh" and form.get("refresh_token") == ["identity"]:
            self.answer(200, json.dumps({"access_token": "good"}).encode())
        else:
            self.answer(401)

    def token(self, scenario, query):
        number = count("token-" + scenario)
        basic = self.headers.get("Authorization")
        if (query.get("scope") != [f"repository:{scenario}:pull", "x"]
                or query.get("service") != ["a service"] or query.get("keep") != ["1"]):
            return self.answer(400)
        if scenario == "oauthget" and basic != BASIC:
            return self.answer(401)
        if scenario == "notoken":
            return self.answer(200, b"{}")
        if scenario == "expired" and number == 1:
            return self.answer(200, b'{"token":"old","expires_in":300}')
        time.sleep(0.1)
        return self.answer(200, b'{"token":"good"}')

    def admit(self, scenario):
        """False when the answer is given already."""
        sent = self.headers.get("Authorization")
        host = self.headers["Host"]
        if scenario in ("token", "oauth", "oauthget", "refresh", "expired", "never", "notoken",
                        "registrytoken"):
            good = "Bearer given" if scenario == "registrytoken" else "Bearer good"
            if sent == good and scenario != "never":
                return True
            error = ',error="invalid_token"' if sent else ""
            self.fail(401, "UNAUTHORIZED", "authentication required", {
                "WWW-Authenticate": f'Bearer realm="http://{host}/token/{scenario}?keep=1",'
                                    f'service="a service",scope="x"{error}'})
            return False
        if scenario in ("basic", "cdn") and sent != BASIC:
            self.fail(401, "UNAUTHORIZED", "who?", {"WWW-Authenticate": 'Basic realm="r"'})
            return False
        if scenario == "header" and self.headers.get("X-Key") != "hush":
            self.answer(400)
            return False
        if scenario == "mirrored" and self.query.get("ns") != ["upstream.example:5000"]:
            self.answer(400)
            return False
        return True

    def manifests(self, scenario, name):
        body = manifest(scenario)
        headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest(body)}
        number = count(f"{self.command}-{scenario}")
        if scenario == "missing" or (scenario == "blobonly" and name.startswith("sha256:")):
            return self.fail(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if scenario == "denied":
            return self.fail(403, "DENIED", "see http://x/?k=secret\nnow")
        if scenario == "nohead" and self.command == "HEAD":
            return self.answer(405)
        if scenario == "busy" and number == 1:
            return self.answer(429, headers={"Retry-After": "1"})
        if scenario == "busyforlong":
            return self.answer(429, headers={"Retry-After": "3600"})
        if scenario == "busyuntil" and number == 1:
            return self.answer(503, headers={"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)})
        if scenario == "toobusy":
            return self.answer(429, headers={"Retry-After": "0"})
        if (scenario == "once503" and number == 1) or scenario == "always503":
            return self.answer(503)
        if scenario == "loop":
            return self.answer(302, headers={"Location": self.path})
        if scenario == "silent":
            return time.sleep(15)
        if scenario == "bare":
            return self.answer(200, body, {"Content-Type": "application/json"})
        if scenario == "schema1":
            return self.answer(200, b"{}", {"Content-Type": "text/plain; charset=utf-8"})
        if scenario == "wrongmanifest":
            return self.chunked(body + b" ", headers)
        if scenario == "hugechunked":
            return self.chunked(body, headers)
        return self.answer(200, body, headers)

    def blobs(self, scenario, name):
        body = next((b for b in (LAYER, CONFIG, manifest(scenario)) if digest(b) == name), None)
        number = count("blob-" + scenario)
        start = self.headers.get("Range")
        start = int(start[len("bytes="):-1]) if start else 0
        if body is None:
            return self.fail(404, "BLOB_UNKNOWN", "blob unknown")
        if scenario == "cdn" or scenario == "cdnfail":
            return self.answer(307, headers={
                "Location": f"http://127.0.0.1:{CDN_PORT}/{scenario}/{name}?sig=secret"})
        if scenario == "foreign" and body is LAYER:
            return self.answer(500)
        if scenario == "chunked":
            return self.chunked(body, {})
        if scenario == "wrongdigest":
            body = bytes([body[0] ^ 1]) + body[1:]
        if scenario == "short":
            body = body[:-1]
        if scenario == "stall" and body is LAYER and not start:
            self.answer(200, b"", {"Content-Length": str(len(body))}, length=False)
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            return time.sleep(15)
        breaks = scenario in ("reset", "ignoresrange", "wrongrange", "dead", "stall")
        if scenario == "dead" and number > 1:
            return self.abort()
        if not breaks or (start and scenario not in ("reset", "wrongrange", "stall")):
            return self.answer(200, body)
        rest = body[start:]
        headers = {"Content-Length": str(len(rest))}
        if start:
            begin = start + 1 if scenario == "wrongrange" else start
            headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
        self.answer(206 if start else 200, b"", headers, length=False)
        if len(rest) < 200000 or scenario == "stall":
            self.wfile.write(rest)
        else:
            self.wfile.write(rest[:len(rest) // 2])
            self.abort()


class Cdn(Handler):
    """Somebody else's host: it must not be shown what is for the registry only."""

    def do_GET(self):
        if "Authorization" in self.headers or "X-Key" in self.headers:
            count("leaks")
        if self.path.endswith("/missing"):
            self.answer(404)
        elif self.path.startswith("/cdnfail"):
            self.answer(403, b"", {"WWW-Authenticate": "Basic realm=x"})
        elif self.path.endswith("?sig=secret"):
            self.answer(200, CONFIG if digest(CONFIG) in self.path else LAYER)
        else:
            self.answer(400)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        """Connections that break are what this is about."""


def serve(handler):
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


if __name__ == "__main__":
    CDN_PORT = serve(Cdn)
    print(serve(Registry), CDN_PORT, flush=True)
    sys.stdin.read()
