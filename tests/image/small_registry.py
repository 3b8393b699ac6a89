# SPDX-License-Identifier: Apache-2.0
"""A registry for one layout, which notes what is asked and can be slow, fall silent or break off."""
import http.server
import json
import pathlib
import re
import threading


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that goes away is one of the things to be tested


class SmallRegistry:
    """Serves the images of an OCI layout by their tags; see Limits for what it does with blobs."""

    def __init__(self, layout, tls=None):
        self.blobs = pathlib.Path(layout.folder) / "blobs/sha256"
        self.tags = {e["annotations"]["org.opencontainers.image.ref.name"]: e for e in layout.entries}
        self.asked = []  # (digest, first byte) of each request for a blob
        self.stop_after = {}  # digest: [bytes after which that answer falls silent, for one answer each]
        self.released = threading.Event()  # ends the silence
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                registry.answer(self)

            do_HEAD = do_GET

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def starts(self, digest):
        """Where the requests for that blob began."""
        return [first for asked, first in self.asked if asked == digest]

    def answer(self, request):
        found = re.fullmatch(r"/v2/.*/(manifests|blobs)/(.*)", request.path)
        kind, name = found.groups() if found else ("", "")
        name = self.tags[name]["digest"] if name in self.tags else name
        path = self.blobs / name.removeprefix("sha256:")
        if not found or not path.is_file():
            request.send_error(404)
            return
        data = path.read_bytes()
        first = int(re.sub(r"\D", "", request.headers.get("Range", "0")))
        request.send_response(206 if first else 200)
        if kind == "manifests":
            request.send_header("Content-Type", json.loads(data)["mediaType"])
        if first:
            request.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        request.send_header("Docker-Content-Digest", name)
        request.send_header("Content-Length", str(len(data) - first))
        request.end_headers()
        if request.command == "HEAD":
            return
        if kind == "blobs":
            self.asked.append((name, first))
        self.send(request, name, data[first:])

    def send(self, request, name, data):
        limits = self.stop_after.get(name)
        try:
            if limits:
                request.wfile.write(data[:limits.pop(0)])
                request.wfile.flush()
                self.released.wait(60)
                request.close_connection = True
            else:
                request.wfile.write(data)
        except OSError:
            request.close_connection = True
