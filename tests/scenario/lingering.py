# SPDX-License-Identifier: Apache-2.0
"""A process whose end does not show: once it is killed its descriptors are closed and its children know, but
until end() its pidfd tells of nothing, as if the kernel were busy in between.

A thread of it is traced, and of a thread that has ended its tracer is to hear first."""
import ctypes
import errno
import os

from berth import wait_for

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, WALL = 0x4206, 0x40000000


class Lingering:
    def __init__(self, pid):
        self.pid = pid
        self.thread = wait_for(self.seize, 30, "a second thread")

    def threads(self):
        return [int(name) for name in os.listdir(f"/proc/{self.pid}/task") if int(name) != self.pid]

    def seize(self):
        """The threads come and go."""
        for thread in self.threads():
            if LIBC.ptrace(PTRACE_SEIZE, thread, None, None) == 0:
                return thread
            if ctypes.get_errno() == errno.EPERM and os.path.exists(f"/proc/{self.pid}/task/{thread}"):
                raise PermissionError("nobody may be traced here")
        return None

    def end(self):
        os.waitpid(self.thread, WALL)
