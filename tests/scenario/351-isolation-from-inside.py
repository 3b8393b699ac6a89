# SPDX-License-Identifier: Apache-2.0
"""What a container that is given what the kubelet gives tries to see, to write and to call; with either runtime."""
import os
import pathlib

RUNTIMES = ("crun", "runc")
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
          "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
CONFINED = {"masked_paths": MASKED, "readonly_paths": READONLY, "seccomp": {"profile_type": "RuntimeDefault"}}

# Each line is tried alone; what it prints is to be what stands before it.
SEE = [
    ("1", "ls -d /proc/[0-9]* | head -n 1 | sed s,/proc/,,"),
    ("sh", "cat /proc/1/comm"),
    ("0", "cat /proc/keys /proc/timer_list /proc/kcore 2>/dev/null | wc -c"),
    ("0", "ls /sys/firmware | wc -l"),
    ("", "cd /dev; ls -d kmsg mem sd* vd* loop* fuse kvm 2>/dev/null"),
    ("0", "ls /dev/mqueue | wc -l"),
    ("eth0 lo", "ls /sys/class/net"),
    ("0 1 2 3", "ls /proc/self/fd"),
    ("", "env | grep -v -e ^PATH= -e ^HOSTNAME= -e ^SHLVL= -e ^PWD= -e ^HOME="),
    ("CapInh: 0000000000000000", "grep CapInh /proc/self/status"),
    ("CapAmb: 0000000000000000", "grep CapAmb /proc/self/status"),
    ("Seccomp: 2", "grep Seccomp: /proc/self/status"),
]
WRITE = [
    ("no", "echo x >/proc/sys/kernel/hostname"),
    ("no", "echo 1 >/proc/sys/net/ipv4/ip_forward"),
    ("no", "echo h >/proc/sysrq-trigger"),
    ("no", "echo 1 >/proc/irq/default_smp_affinity"),
    ("no", "echo -1000 >/proc/self/oom_score_adj"),
    ("no", "echo x >/sys/kernel/uevent_helper"),
    ("no", "echo '|/bin/sh' >/proc/sys/kernel/core_pattern"),
    ("no", "cd /sys/fs/cgroup/memory || cd /sys/fs/cgroup; mkdir mine"),
    ("no", "for f in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs); do echo 1 >$f && break; done"),
    ("no", "mknod /disk b $DISK && head -c 1 /disk"),
    ("no", "mknod /mem c 1 1 && head -c 1 /mem"),
    ("yes", "mknod /nought c 1 3 && echo x >/nought"),
]
CALL = [
    ("no", "mount -t tmpfs none /mnt"),
    ("no", "mount -o remount,rw /proc/sys"),
    ("no", "umount /proc/sysrq-trigger"),
    ("no", "unshare -m true"),
    ("no", "unshare -U true"),
    ("no", "unshare -n true"),
    ("no", "nsenter -t 1 -n true"),
    ("no", "mount -t cgroup -o memory none /mnt"),
    ("no", "date -s 2020-01-01; test $(date +%Y) = 2020"),
    ("no", "reboot -f"),
    ("no", "swapoff -a && swapon /bin/busybox"),
    ("no", "insmod /bin/busybox"),
    ("no", "hostname other"),
    ("no", "ip link add dummy0 type dummy"),
    ("no", "ip link set lo down"),
    ("no", "dmesg -c"),
    ("no", "chroot / mount -t proc none /proc"),
    ("no", "renice -n -5 1"),
    ("yes", "chroot / true"),
    ("yes", "chown 1 /tmp"),
    ("yes", "ping -c 1 -W 60 127.0.0.1"),
]


def try_all(berth, pod, tries, say, **more):
    lines = [say.format(line) for _, line in tries]
    container = berth.sh(pod, "\n".join(lines), **more)
    assert berth.wait_exited(container).exit_code == 0, berth.output(container, "stderr")
    out = berth.output(container).split("\n")
    wrong = [(line, got, wanted) for (wanted, line), got in zip(tries, out) if got.strip() != wanted]
    assert not wrong and len(out) == len(tries) + 1, wrong or out


def with_each(berth, tries, say, **security):
    for runtime in RUNTIMES:
        pod = berth.run_pod(handler=runtime)
        linux = {"security_context": {**CONFINED, **security}}
        disk = os.stat("/").st_dev
        envs = [{"key": "DISK", "value": f"{os.major(disk)} {os.minor(disk)}".encode()}] if tries is WRITE else []
        try:
            try_all(berth, pod, tries, say, linux=linux, envs=envs)
        except AssertionError as e:
            raise AssertionError(f"{runtime}: {e}") from e


YES_OR_NO = "({}) >/dev/null 2>&1 && echo yes || echo no"


def test_what_it_sees(berth):
    with_each(berth, SEE, "echo $({})")


def test_what_it_writes(berth):
    before = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8")
    with_each(berth, WRITE, YES_OR_NO)
    assert pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8") == before


def test_what_it_calls(berth):
    with_each(berth, CALL, YES_OR_NO)


def test_a_user_that_is_not_root_gains_nothing(berth):
    tries = [("no", "chown 0 /tmp"), ("no", "echo x >/etc/passwd"), ("no", "mknod /tmp/x c 1 3")]
    with_each(berth, tries, YES_OR_NO, run_as_user={"value": 1000}, no_new_privs=True)
    with_each(berth, [("CapEff: 0000000000000000", "grep CapEff /proc/self/status"),
                      ("NoNewPrivs: 1", "grep NoNewPrivs /proc/self/status")], "echo $({})",
              run_as_user={"value": 1000}, no_new_privs=True)


def test_a_read_only_root_is_read_only(berth):
    with_each(berth, [("no", "touch /x"), ("no", "touch /etc/hosts"), ("yes", "touch /dev/shm/x")], YES_OR_NO,
              readonly_rootfs=True)
