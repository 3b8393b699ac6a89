# SPDX-License-Identifier: Apache-2.0
"""A file system that does not answer, as a network one whose server is gone: who looks up a name in
it is in uninterruptible sleep, of which not even SIGKILL wakes, until close()."""
import ctypes
import os
import select
import stat
import struct
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
LOOKUP, FORGET, GETATTR, INIT, INTERRUPT, BATCH_FORGET, ENOSYS = 1, 2, 3, 26, 36, 42, 38


class Stuck:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.asked = threading.Event()  # somebody is stuck
        self.ended = False
        self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_NONBLOCK)
        options = f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other"
        if LIBC.mount(b"stuck", os.fsencode(folder), b"fuse", 0, options.encode()):
            raise OSError(ctypes.get_errno(), "mount fuse")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def reply(self, unique, error, body=b""):
        os.write(self.fd, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)

    def answer(self, opcode, unique):
        if opcode == LOOKUP:
            self.asked.set()
        elif opcode == INIT:
            self.reply(unique, 0, struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 8, 8, 4096, 1, 1, 0, 0))
        elif opcode == GETATTR:
            attributes = struct.pack("<6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, stat.S_IFDIR | 0o755, 2, 0, 0, 0, 4096, 0)
            self.reply(unique, 0, struct.pack("<QII", 3600, 0, 0) + attributes)
        elif opcode not in (FORGET, BATCH_FORGET, INTERRUPT):
            self.reply(unique, ENOSYS)

    def serve(self):
        while not self.ended:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                request = os.read(self.fd, 1 << 17)
            except OSError:  # taken back, or unmounted
                continue
            self.answer(*struct.unpack_from("<IQ", request, 4))

    def close(self):
        self.ended = True
        self.thread.join()
        os.close(self.fd)
        LIBC.umount2(os.fsencode(self.folder), 2)
