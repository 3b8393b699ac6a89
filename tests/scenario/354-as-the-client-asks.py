# SPDX-License-Identifier: Apache-2.0
"""Namespaces, capabilities, groups, filters, limits and mounts are, seen from inside, what the client asks for; with
either runtime."""
import json
import os
import pathlib

RUNTIMES = ("crun", "runc")
KINDS = ("pid", "ipc", "net", "uts", "mnt")
V2 = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()


def run(berth, pod, script, **more):
    container = berth.sh(pod, script, **more)
    berth.wait_exited(container)
    return berth.output(container)


def security(**fields):
    return {"linux": {"security_context": fields}}


def namespaces_of(berth, pod, **options):
    """Kind → inode, of a container with these namespace options; it runs on, so that the numbers stay its own."""
    container = berth.run(pod, "sleep", "1000", **security(namespace_options=options))
    return inside(berth, container)


def inside(berth, container):
    script = f"cd /proc/self/ns; for n in {' '.join(KINDS)}; do readlink $n; done"
    return dict(line.split(":") for line in berth.exec_sync(container, "sh", "-c", script)[1].split())


def of_node():
    return dict(os.readlink(f"/proc/self/ns/{kind}").split(":") for kind in KINDS)


def same(a, b):
    return {kind for kind in KINDS if a[kind] == b[kind]}


def test_namespaces(berth):
    for runtime in RUNTIMES:
        pod = berth.run_pod(handler=runtime)
        own, other = (namespaces_of(berth, pod, pid="CONTAINER") for _ in range(2))
        assert same(own, other) == {"ipc", "net", "uts"} and not same(own, of_node()), runtime
        assert same(own, namespaces_of(berth, berth.run_pod(handler=runtime), pid="CONTAINER")) == set(), runtime
        assert same(namespaces_of(berth, pod, pid="NODE"), of_node()) == {"pid"}, runtime
        target = berth.run(pod, "sleep", "100", **security(namespace_options={"pid": "CONTAINER"}))
        joined = namespaces_of(berth, pod, pid="TARGET", target_id=target)
        assert joined["pid"] == inside(berth, target)["pid"], runtime
        host = berth.run_pod(handler=runtime, linux={"cgroup_parent": berth.cgroup_parent, "security_context": {
            "namespace_options": {"network": "NODE", "ipc": "NODE", "pid": "POD"}}})
        one, two = (namespaces_of(berth, host, pid="POD") for _ in range(2))
        assert same(one, of_node()) == {"net", "ipc", "uts"} and same(one, two) >= {"pid", "net", "ipc"}, runtime


def test_capabilities(berth):
    bits = {"CHOWN": 0, "NET_ADMIN": 12, "SYS_TIME": 25, "KILL": 5, "MKNOD": 27}
    cases = [({}, {"CHOWN", "KILL", "MKNOD"}), ({"add_capabilities": ["NET_ADMIN", "cap_sys_time"]}, set(bits)),
             ({"drop_capabilities": ["KILL", "CAP_MKNOD"]}, {"CHOWN"}), ({"drop_capabilities": ["ALL"]}, set()),
             ({"drop_capabilities": ["ALL"], "add_capabilities": ["CHOWN"]}, {"CHOWN"})]
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        for capabilities, wanted in cases:
            out = run(berth, pod, "grep -E 'Cap(Eff|Bnd|Prm)' /proc/self/status", **security(capabilities=capabilities))
            for line in out.splitlines():
                mask = int(line.split()[1], 16)
                assert {name for name, bit in bits.items() if mask >> bit & 1} == wanted, (runtime, capabilities, out)


def test_groups(berth):
    cases = [({"run_as_username": "nobody", "supplemental_groups": [7]}, "65534 65534 7,65534"),
             ({"run_as_user": {"value": 65534}, "run_as_group": {"value": 9}, "supplemental_groups_policy": "Strict",
               "supplemental_groups": [8]}, "65534 9 8,9"),
             ({"run_as_user": {"value": 12345}}, "12345 0 0")]
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        for wish, wanted in cases:
            out = run(berth, pod, "echo $(id -u) $(id -g) $(grep Groups: /proc/self/status)", **security(**wish)).split()
            groups = ",".join(map(str, sorted(map(int, out[3:]))))
            assert f"{out[0]} {out[1]} {groups}" == wanted, (runtime, wish, out)


def test_a_filter_of_the_node(berth):
    profile = berth.dir / "no-mkdir.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}), encoding="utf-8")
    seccomp = {"profile_type": "Localhost", "localhost_ref": f"localhost/{profile}"}
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        script = "mkdir /tmp/a 2>&1; touch /tmp/b && echo touched"
        assert run(berth, pod, script, **security(seccomp=seccomp)) == \
            "mkdir: can't create directory '/tmp/a': Operation not permitted\ntouched\n", runtime


def test_limits(berth):
    limits = {"memory_limit_in_bytes": 64 << 20, "cpu_shares": 512, "cpu_period": 100000, "cpu_quota": 50000,
              "cpuset_cpus": "0", "oom_score_adj": 500}
    files = "memory.max cpu.max cpuset.cpus" if V2 else \
        "memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus"
    wanted = "67108864 50000 100000 0" if V2 else "67108864 512 50000 0"
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        out = run(berth, pod, f"cd /sys/fs/cgroup; echo $(cat {files}); cat /proc/self/oom_score_adj",
                  linux={"resources": limits})
        assert out == f"{wanted}\n500\n", (runtime, out)


def test_options_of_mounts(berth):
    folder = berth.dir / "mounted"
    folder.mkdir()
    (folder / "run").write_text("#!/bin/sh\necho ran\n", encoding="utf-8")
    (folder / "run").chmod(0o755)
    mounts = [{"container_path": "/free", "host_path": str(folder)},
              {"container_path": "/bound", "host_path": str(folder), "readonly": True,
               "mount_options": ["noexec", "nosuid", "nodev"]}]
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        out = run(berth, pod, "/free/run; /bound/run 2>/dev/null || echo not run; touch /bound/x 2>/dev/null || echo ro",
                  mounts=mounts)
        assert out == "ran\nnot run\nro\n", (runtime, out)
