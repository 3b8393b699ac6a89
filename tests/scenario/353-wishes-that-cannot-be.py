# SPDX-License-Identifier: Apache-2.0
"""Wishes about isolation that cannot be granted are refused in a sentence that names the field and the value, and
nothing is made of them."""
import os

import grpc

import cgroups

BIG = 1 << 40
BIG_TEXT = 32 * os.sysconf("SC_PAGESIZE")


def security(**fields):
    return {"linux": {"security_context": fields}}


def resources(**fields):
    return {"linux": {"resources": fields}}


def mount(**fields):
    return {"mounts": [{"container_path": "/m", "host_path": "/tmp", **fields}]}


def device(**fields):
    return {"devices": [{"container_path": "/dev/x", "host_path": "/dev/null", "permissions": "rw", **fields}]}


def ids(inside, first, count):
    return {"container_id": inside, "host_id": first, "length": count}


LOCAL = {"profile_type": "Localhost"}
CONTAINERS = [
    ("seccomp.localhost_ref: open /no/such.json", security(seccomp={**LOCAL, "localhost_ref": "/no/such.json"})),
    ("seccomp.localhost_ref is empty", security(seccomp=LOCAL)),
    ("seccomp.profile_type: 9 is not known", security(seccomp={"profile_type": 9})),
    ('seccomp profile "mine" is not known', security(seccomp_profile_path="mine")),
    ("mine", security(apparmor={**LOCAL, "localhost_ref": "mine"})),
    ('"NO_SUCH" is no capability', security(capabilities={"add_capabilities": ["NO_SUCH"]})),
    ('selinux_options.level: "s0:c99999" is no level', security(selinux_options={"level": "s0:c99999"})),
    ('selinux_options.type: "a b" is no name', security(selinux_options={"type": "a b"})),
    ("run_as_user: -1 is out of range", security(run_as_user={"value": -1})),
    (f"run_as_user: {BIG} is out of range", security(run_as_user={"value": BIG})),
    ("run_as_group: 5 is given without a user", security(run_as_group={"value": 5})),
    (f"supplemental_groups: {BIG} is out of range", security(supplemental_groups=[1, BIG])),
    ("supplemental_groups_policy: 7 is not known", security(supplemental_groups_policy=7)),
    ("privileged", security(privileged=True)),
    ("namespace_options.pid: 7 is not known", security(namespace_options={"pid": 7})),
    ("namespace target", security(namespace_options={"pid": "TARGET", "target_id": "f" * 64})),
    ('masked_paths: "proc/x" is not absolute', security(masked_paths=["proc/x"])),
    ('readonly_paths: "" is not absolute', security(readonly_paths=[""])),
    ("resources.cpu_period: -1 is out of range", resources(cpu_period=-1)),
    ("resources.cpu_quota: -2 is out of range", resources(cpu_quota=-2)),
    ("resources.cpu_shares: -5 is out of range", resources(cpu_shares=-5)),
    ("resources.memory_limit_in_bytes: -2 is out of range", resources(memory_limit_in_bytes=-2)),
    ("resources.memory_swap_limit_in_bytes: 10 is less than memory_limit_in_bytes",
     resources(memory_limit_in_bytes=100 << 20, memory_swap_limit_in_bytes=10)),
    ("resources.oom_score_adj: 1001 is out of range", resources(oom_score_adj=1001)),
    ('resources.cpuset_cpus: "0-" is no list of numbers', resources(cpuset_cpus="0-")),
    ('resources.cpuset_mems: "a" is no list of numbers', resources(cpuset_mems="a")),
    ('unified: "memory/max" is no cgroup file', resources(unified={"memory/max": "1"})),
    ('unified: "..memory" is no cgroup file', resources(unified={"..memory": "1"})),
    ('hugepage_limits: page_size "2 MB" is no size', resources(hugepage_limits=[{"page_size": "2 MB", "limit": 1}])),
    ('mounts: container_path of "/tmp" is empty', mount(container_path="")),
    ('container_path "/m": host_path "relative" is not absolute', mount(host_path="relative")),
    ('container_path "/m": host_path "" is not absolute', mount(host_path="")),
    ("recursive_read_only requires readonly", mount(recursive_read_only=True)),
    ("propagation: 9 is not known", mount(propagation=9)),
    ('mount_options: "suid" is none of', mount(mount_options=["suid"])),
    ('mounts: container_path "/a/.." is the root file system', mount(container_path="/a/..")),
    ('devices: host_path "/dev/no-such": No such file', device(host_path="/dev/no-such")),
    ('host_path "/etc/passwd" is not a device', device(host_path="/etc/passwd")),
    ('permissions "rx" of /dev/null', device(permissions="rx")),
    ('devices: container_path "dev/x" is not absolute', device(container_path="dev/x")),
    ("resources.cpu_period: 5 is not from 1000 to 1000000", resources(cpu_period=5)),
    ("resources.cpu_quota: 10 is less than 1000", resources(cpu_quota=10)),
    ('resources.cpuset_cpus: "3-1" is no list of numbers', resources(cpuset_cpus="3-1")),
    ('resources.cpuset_cpus: "0,9999" goes beyond the node', resources(cpuset_cpus="0,9999")),
    ('resources.cpuset_mems: "4099" goes beyond the node', resources(cpuset_mems="4099")),
    ("resources.memory_swap_limit_in_bytes: 4096 is given without", resources(memory_swap_limit_in_bytes=4096)),
    ('the node has no pages of page_size "3MB"', resources(hugepage_limits=[{"page_size": "3MB", "limit": 1}])),
    ('image_sub_path "x" is given without an image', mount(image_sub_path="x")),
    ("uidMappings: container_id 5, host_id 9, length 9 overlaps",
     mount(uidMappings=[ids(0, 100, 10), ids(5, 9, 9)], gidMappings=[ids(0, 100, 10)])),
    ("namespace_options.network: 9 is not known", security(namespace_options={"network": 9})),
    ("namespace_options.ipc: 9 is not known", security(namespace_options={"ipc": 9})),
    ('add_ambient_capabilities: "NO_SUCH" is no', security(capabilities={"add_ambient_capabilities": ["NO_SUCH"]})),
    ("envs: A and its value are longer than", {"envs": [{"key": "A", "value": b"x" * BIG_TEXT}]}),
    ("argument 1 of the command is longer than", {"args": ["true", "x" * BIG_TEXT]}),
    ('seccomp.localhost_ref: "a/b.json" is no absolute path', security(seccomp={**LOCAL, "localhost_ref": "a/b.json"})),
    ('envs: "A=B" is no name of a variable', {"envs": [{"key": "A=B", "value": b"x"}]}),
    ('log_path "../../x" leaves the log directory', {"log_path": "../../x"}),
    ("stop_signal 99 is no signal", {"stop_signal": 99}),
]


def sandbox(**fields):
    return {"linux": {"security_context": fields}}


HOST = {"namespace_options": {"network": "NODE", "ipc": "NODE"}}
PODS = [
    ("sysctl kernel.panic is not kept per namespace", {"linux": {"sysctls": {"kernel.panic": "1"}}}),
    ("sysctl vm.swappiness is not kept per namespace", {"linux": {"sysctls": {"vm.swappiness": "1"}}}),
    ('sysctl "net..core" is not a name', {"linux": {"sysctls": {"net..core": "1"}}}),
    ("sysctl net.core.somaxconn: the pod is in the host's network",
     {"linux": {"sysctls": {"net.core.somaxconn": "1"}, "security_context": HOST}}),
    ("sysctl kernel.shmmax: the pod is in the host's IPC namespace",
     {"linux": {"sysctls": {"kernel.shmmax": "1"}, "security_context": HOST}}),
    ('set sysctl net.core.somaxconn to "many"', {"linux": {"sysctls": {"net.core.somaxconn": "many"}}}),
    ('selinux_options.level: "x" is no level', sandbox(selinux_options={"level": "x"})),
    ("namespace_options.network: 7 is not known", sandbox(namespace_options={"network": 7})),
    ("namespace_options.ipc: TARGET", sandbox(namespace_options={"ipc": "TARGET"})),
    ('cgroup_parent: "/a/../b" contains ".."', {"linux": {"cgroup_parent": "/a/../b"}}),
    ('no runtime handler "untrusted"', {"annotations": {"io.kubernetes.cri.untrusted-workload": "true"}}),
    ("such a pod has no namespaces of the node",
     {"annotations": {"io.kubernetes.cri.untrusted-workload": "true"}, "linux": {"security_context": HOST}}),
    ("it excludes runtime handler",
     {"annotations": {"io.kubernetes.cri.untrusted-workload": "true"}, "handler": "crun"}),
    ('hostname: "hhh', {"hostname": "h" * 65}),
    ('hostname: "a/b" is no name of a host', {"hostname": "a/b"}),
    ('dns_config.servers: "1.1.1.1', {"dns_config": {"servers": ["1.1.1.1\nsearch evil"]}}),
    ('log_directory: "here" is not absolute', {"log_directory": "here"}),
    ("port_mappings: host_port -5 is not a port", {"port_mappings": [{"container_port": 80, "host_port": -5}]}),
    ('host_ip "nowhere" is no address',
     {"port_mappings": [{"container_port": 80, "host_port": 8080, "host_ip": "nowhere"}]}),
    ("run_as_user: -1 is out of range", sandbox(run_as_user={"value": -1})),
    ("supplemental_groups_policy: 7 is not known", sandbox(supplemental_groups_policy=7)),
    ("seccomp.profile_type: 9 is not known", sandbox(seccomp={"profile_type": 9})),
    ("apparmor.localhost_ref is empty", sandbox(apparmor=LOCAL)),
    ("set sysctl net.core.somaxconn: its value is empty", {"linux": {"sysctls": {"net.core.somaxconn": ""}}}),
]


def refusal(call, **fields):
    try:
        call(**fields)
    except grpc.RpcError as e:
        return e.details()
    return "(it was granted)"


def test_containers(berth):
    pod = berth.run_pod(host_network=True)
    wrong = []
    for words, wish in CONTAINERS:
        said = refusal(lambda **fields: berth.create(pod, "true", **fields), **wish)
        if words not in said:
            wrong.append(f"{words}: {said}")
    assert not wrong, "\n".join(wrong)
    assert not berth.runtime.ListContainers().containers
    assert not list((berth.dir / "root" / "containers").iterdir())
    refusal(lambda: berth.create(pod, "true", name="same", **resources(cpu_period=-1)))
    berth.remove(berth.create(pod, "true", name="same"))  # the name is free


def test_files_of_seccomp_that_are_none(berth):
    """A pipe that nobody writes to must not be waited for; what the OCI runtime would pass over is a mistake."""
    pod = berth.run_pod(host_network=True)
    (berth.dir / "half.json").write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": {}}', encoding="ascii")
    os.mkfifo(berth.dir / "pipe.json")
    for name, words in (("half.json", "half.json: syscalls is no list"), ("pipe.json", "is not a regular file")):
        said = refusal(lambda: berth.create(pod, "true", **security(seccomp={
            **LOCAL, "localhost_ref": str(berth.dir / name)})))  # pylint: disable=cell-var-from-loop
        assert "seccomp.localhost_ref" in said and words in said, said


def test_files_of_cgroups_that_the_node_does_not_have(berth):
    if cgroups.IS_V2:
        return "this node has them"
    said = refusal(lambda: berth.create(berth.run_pod(host_network=True), "true", **resources(unified={"memory.high": "1"})))
    assert 'resources.unified: "memory.high" is of cgroups of version 2' in said, said


def test_pods(berth):
    wrong = []
    for words, wish in PODS:
        said = refusal(lambda **fields: berth.run_pod(**fields), **wish)
        if words not in said:
            wrong.append(f"{words}: {said}")
    assert not wrong, "\n".join(wrong)
    assert not berth.runtime.ListPodSandbox().items and not list((berth.dir / "run" / "pods").iterdir())
    refusal(lambda: berth.run_pod("same", **sandbox(selinux_options={"level": "x"})))
    berth.run_pod("same")


def test_a_source_that_vanishes_before_the_start(berth):
    source = berth.dir / "vanishing"
    for runtime in ("crun", "runc"):
        source.mkdir()
        pod = berth.run_pod(host_network=True, handler=runtime)
        container = berth.create(pod, "true", mounts=[{"container_path": "/m", "host_path": str(source)}])
        source.rmdir()
        said = refusal(lambda: berth.start(container))
        assert str(source) in said and "No such file" in said.replace("no such file", "No such file"), (runtime, said)
        status = berth.status(container)
        assert (status.exit_code, status.reason) == (128, "StartError"), status
        assert str(source) in status.message, status
