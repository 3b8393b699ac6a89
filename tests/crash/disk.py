# SPDX-License-Identifier: Apache-2.0
"""A disk that can lose power: an ext4 file system on a loop device.

cut() stops the file system in that instant, as xfstests does: what was written and not synced never
reaches the disk, and what is on it is what a power cut would have left.
"""
import ctypes
import fcntl
import os
import struct
import subprocess
import time

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
WITH_LOG, WITHOUT_LOG = 1, 2  # whether the journal's last transaction still gets to the disk
SIZE = 1 << 30
CLONE_NEWNS = 0x20000


def keep_mounts_private():
    """For this process: a file system is gone from the disk only when no other namespace has it."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Disk:
    def __init__(self, folder, where):
        self.image, self.where = folder / "disk.img", where
        with open(self.image, "wb") as file:
            file.truncate(SIZE)
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-O", "^metadata_csum_seed",
                        str(self.image)], check=True, stderr=subprocess.DEVNULL)
        where.mkdir(parents=True, exist_ok=True)

    def mount(self, *options):
        subprocess.run(["mount", "-o", ",".join(["loop", *options]), str(self.image), str(self.where)], check=True)

    def cut(self, with_log=False):
        fd = os.open(self.where, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", WITH_LOG if with_log else WITHOUT_LOG))
        finally:
            os.close(fd)

    def unmount(self):
        """Waits for those to end who still have files open there, or a mount namespace with it."""
        for _ in range(400):
            subprocess.run(["umount", str(self.where)], check=False, stderr=subprocess.DEVNULL)
            used = subprocess.run(["losetup", "--associated", str(self.image)], capture_output=True, check=True)
            if not used.stdout:
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.where} is in use for 20 s")

    def discard(self):
        subprocess.run(["umount", "--lazy", str(self.where)], check=False, stderr=subprocess.DEVNULL)

    def check(self):
        """What fsck finds wrong once the journal is replayed; "" for nothing."""
        done = subprocess.run(["e2fsck", "-fn", str(self.image)], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode else ""
