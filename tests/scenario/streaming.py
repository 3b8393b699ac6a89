# SPDX-License-Identifier: Apache-2.0
"""Clients of the streaming server: SPDY/3.1 and WebSocket, as small as they can be.

Both have stream(kind) → a number, send(number, bytes, end), and data, a dictionary of what came on
each stream; receive() reads until a condition is true or the server has closed.
"""
import base64
import json
import os
import socket
import ssl
import struct
import time
import urllib.parse
import zlib

from berth import PATIENCE


class Refused(Exception):
    """The server did not upgrade: (status, body)."""


def connect(url, trust=None):
    """A connection to where the URL points; trust is an ssl.SSLContext, without which any server will do."""
    parts = urllib.parse.urlsplit(url)
    s = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme == "https":
        trust = trust or ssl._create_unverified_context()  # pylint: disable=protected-access
        s = trust.wrap_socket(s, server_hostname=parts.hostname)
    return s


def ask(url, headers, method="POST", trust=None):
    """Sends a request; returns (socket, status, headers, what came behind the head)."""
    parts = urllib.parse.urlsplit(url)
    s = connect(url, trust)
    head = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"] + [f"{k}: {v}" for k, v in headers]
    s.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise Refused(0, data)
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
    status = int(lines[0].split()[1])
    if status != 101:
        while len(rest) < int(fields.get("content-length", 0)):
            rest += s.recv(65536)
        s.close()
        raise Refused(status, rest.decode())
    return s, fields, rest


class Client:
    def __init__(self, sock, rest):
        self.sock, self.buffer = sock, bytearray(rest)
        self.data, self.ended, self.reset, self.closed = {}, set(), {}, False

    def receive(self, until=lambda: False, timeout=PATIENCE):
        """Returns the client, once until() is true or the server has closed the connection."""
        end = time.monotonic() + timeout
        while True:
            while self.parse():
                pass
            if until() or self.closed:
                return self
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                more = self.sock.recv(65536)
            except ConnectionResetError:
                more = b""
            self.closed = not more
            self.feed(more)

    def feed(self, data):
        self.buffer += data

    def output(self, stream):
        return self.data.get(stream, b"").decode()

    def status(self):
        """The error stream, read to its end: a dictionary."""
        self.receive(lambda: self.error_is_over())
        return json.loads(self.data[self.error])

    def exit_code(self):
        status = self.status()
        if status["status"] == "Success":
            return 0
        assert status["reason"] == "NonZeroExitCode", status
        return int(status["details"]["causes"][0]["message"])

    def close(self):
        self.sock.close()


class Spdy(Client):
    below = None

    def feed(self, data):
        if self.below:
            self.below.buffer += data
            while self.below.parse():
                pass
        else:
            self.buffer += data

    def __init__(self, url, protocol="v4.channel.k8s.io", trust=None):
        sock, fields, rest = ask(url, [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"),
                                       ("X-Stream-Protocol-Version", protocol)], trust=trust)
        super().__init__(sock, rest)
        self.protocol = fields["x-stream-protocol-version"]
        self.begin(sock.sendall)

    def begin(self, write):
        self.write, self.deflate, self.next, self.replied = write, zlib.compressobj(), 1, set()
        self.windows = {}  # by how much the server has opened them

    @classmethod
    def above(cls, websocket):
        """In the messages of a WebSocket, which is read through this one from then on."""
        spdy = cls.__new__(cls)
        Client.__init__(spdy, websocket.sock, b"")
        spdy.begin(lambda data: websocket.frame(2, data))
        spdy.below, websocket.take = websocket, lambda opcode, body: spdy.buffer.extend(body)
        return spdy

    def stream(self, **headers):
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.encode(), str(value).encode()):
                block += struct.pack(">I", len(text)) + text
        block = self.deflate.compress(block) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        number, self.next = self.next, self.next + 2
        body = struct.pack(">IIBB", number, 0, 0, 0) + block
        self.write(struct.pack(">HHI", 0x8003, 1, len(body)) + body)
        return number

    def open(self, *kinds):
        """The streams of an exec or attach, by their kinds: client.stdout and so on."""
        for kind in kinds:
            setattr(self, kind, self.stream(streamtype=kind))
        return self

    def send(self, stream, data=b"", end=False):
        chunks = [data[i:i + 65536] for i in range(0, len(data), 65536)] or [b""]
        for i, chunk in enumerate(chunks):
            flags = 1 if end and i == len(chunks) - 1 else 0
            self.write(struct.pack(">II", stream, flags << 24 | len(chunk)) + chunk)

    def control(self, kind, *words):
        self.write(struct.pack(f">HHI{len(words)}I", 0x8003, kind, 4 * len(words), *words))

    def resize(self, width, height):
        self.send(self.resize_stream, json.dumps({"Width": width, "Height": height}).encode() + b"\n")

    def parse(self):
        if len(self.buffer) < 8:
            return False
        first, second = struct.unpack(">II", self.buffer[:8])
        flags, length = second >> 24, second & 0xffffff
        if len(self.buffer) < 8 + length:
            return False
        body = self.buffer[8:8 + length]
        del self.buffer[:8 + length]
        if first & 0x80000000:
            kind = first & 0xffff
            if kind == 2:
                self.replied.add(struct.unpack(">I", body[:4])[0])
            elif kind == 3:
                number, code = struct.unpack(">II", body)
                self.reset[number] = code
            elif kind == 9:
                number, by = struct.unpack(">II", body)
                self.windows[number] = self.windows.get(number, 0) + by
        else:
            self.data.setdefault(first, bytearray()).extend(body)
            if flags & 1:
                self.ended.add(first)
        return True

    def error_is_over(self):
        return self.error in self.ended


class WebSocket(Client):
    stdin, stdout, stderr, error, resize_stream = range(5)

    def __init__(self, url, protocol="v4.channel.k8s.io", trust=None):
        key = base64.b64encode(os.urandom(16)).decode()
        headers = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
                   ("Sec-WebSocket-Key", key)]
        if protocol:
            headers.append(("Sec-WebSocket-Protocol", protocol))
        sock, fields, rest = ask(url, headers, "GET", trust)
        super().__init__(sock, rest)
        self.protocol, self.code, self.messages = fields.get("sec-websocket-protocol", ""), None, 0

    def frame(self, opcode, data, final=True):
        mask = os.urandom(4)
        length = len(data)
        head = bytes([(0x80 if final else 0) | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += b"\xfe" + struct.pack(">H", length)
        else:
            head += b"\xff" + struct.pack(">Q", length)
        repeated = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(length, "big")
        self.sock.sendall(head + mask + masked)

    def send(self, stream, data=b"", end=False):
        if data and "base64" in self.protocol:
            self.frame(1, str(stream).encode() + base64.b64encode(data))
        elif data:
            self.frame(2, bytes([stream]) + data)
        if end:  # v5 only
            self.frame(2, bytes([255, stream]))

    def resize(self, width, height):
        self.send(4, json.dumps({"Width": width, "Height": height}).encode())

    def parse(self):
        if len(self.buffer) < 2:
            return False
        length, at = self.buffer[1], 2
        if length == 126:
            length, at = int.from_bytes(self.buffer[2:4], "big"), 4
        elif length == 127:
            length, at = int.from_bytes(self.buffer[2:10], "big"), 10
        if len(self.buffer) < at + length:
            return False
        opcode, body = self.buffer[0] & 15, self.buffer[at:at + length]
        del self.buffer[:at + length]
        if opcode == 8:
            self.code = int.from_bytes(body[:2], "big") if body else 1005
        elif opcode in (1, 2):
            self.messages += 1
            self.take(opcode, body)
        return True

    def take(self, opcode, body):
        if opcode == 1:
            stream, body = int(body[:1]), base64.b64decode(body[1:])
        else:
            stream, body = body[0], body[1:]
        self.data.setdefault(stream, bytearray()).extend(body)

    def error_is_over(self):
        return self.code is not None


def exec_url(berth, container, *cmd, stdin=False, stdout=True, stderr=True, tty=False):
    return berth.runtime.Exec(container_id=container, cmd=list(cmd), stdin=stdin, stdout=stdout,
                              stderr=stderr and not tty, tty=tty).url


def kinds(stdin=False, stdout=True, stderr=True, tty=False):
    names = ["error"] + ["stdin"] * stdin + ["stdout"] * stdout + ["stderr"] * (stderr and not tty)
    return names


def run(berth, container, *cmd, transport=Spdy, **streams):
    """An exec with its streams open."""
    client = transport(exec_url(berth, container, *cmd, **streams))
    if transport is Spdy:
        client.open(*kinds(**streams))
        if streams.get("tty"):
            client.resize_stream = client.stream(streamtype="resize")
    return client


def attach(berth, container, transport=Spdy, **streams):
    wanted = {"stdin": False, "stdout": True, "stderr": True, "tty": False, **streams}
    wanted["stderr"] = wanted["stderr"] and not wanted["tty"]
    client = transport(berth.runtime.Attach(container_id=container, **wanted).url)
    if transport is Spdy:
        client.open(*kinds(**wanted))
        if wanted["tty"]:
            client.resize_stream = client.stream(streamtype="resize")
        client.receive(lambda: len(client.replied) >= len(kinds(**wanted)))
    return client
