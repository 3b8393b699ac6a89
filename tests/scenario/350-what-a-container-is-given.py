# SPDX-License-Identifier: Apache-2.0
"""Name resolution, mounts, masked paths, users, cgroups: what comes into a container, and what not."""
import json
import pathlib

import grpc

import cgroups


def run(berth, pod, script, **more):
    container = berth.sh(pod, script, **more)
    status = berth.wait_exited(container)
    return status.exit_code, berth.output(container)


def test_no_dns_config_is_the_hosts_and_an_empty_one_is_nothing(berth):
    host = pathlib.Path("/etc/resolv.conf").read_text(encoding="utf-8")
    for more, wanted in (({}, host), ({"dns_config": {}}, "")):
        code, out = run(berth, berth.run_pod(host_network=True, **more), "cat /etc/resolv.conf")
        assert (code, out.rstrip("\n")) == (0, wanted.rstrip("\n")), (more, out)


def test_a_missing_mount_source_becomes_a_folder_and_mounts_are_sorted_by_depth(berth):
    source, inner = berth.dir / "made" / "here", berth.dir / "inner"
    mounts = [{"container_path": "/m/deep", "host_path": str(inner)}, {"container_path": "/m", "host_path": str(source)}]
    code, out = run(berth, berth.run_pod(host_network=True), "echo x > /m/deep/f; ls /m", mounts=mounts)
    assert (code, out) == (0, "deep\n"), out
    assert source.stat().st_mode & 0o777 == 0o755 and (inner / "f").exists()


def test_a_mount_takes_the_place_of_our_files(berth):
    hosts = berth.dir / "hosts"
    hosts.write_text("10.1.1.1 mine\n", encoding="utf-8")
    mounts = [{"container_path": "/etc/hosts", "host_path": str(hosts), "readonly": True}]
    code, out = run(berth, berth.run_pod(), "cat /etc/hosts; echo x > /etc/hosts || echo read-only", mounts=mounts)
    assert out == "10.1.1.1 mine\nread-only\n", out


def test_nothing_is_masked_that_nobody_named(berth):
    pod = berth.run_pod(host_network=True)
    script = "head -c 1 /proc/timer_list | wc -c; grep -c ' /proc/sys ' /proc/self/mountinfo"
    assert run(berth, pod, script)[1] == "1\n0\n"
    masked = {"security_context": {"masked_paths": ["/proc/timer_list"], "readonly_paths": ["/proc/sys"]}}
    assert run(berth, pod, script, linux=masked)[1] == "0\n1\n"


def test_the_primary_group_is_among_the_groups_and_the_status_tells(berth):
    pod = berth.run_pod(host_network=True)
    user = {"security_context": {"run_as_user": {"value": 4321}, "supplemental_groups": [7, 5]}}
    container = berth.sh(pod, "id -u; id -g; cat /proc/self/status | grep Groups", linux=user)
    berth.wait_exited(container)
    uid, gid, groups = berth.output(container).splitlines()
    assert (uid, gid) == ("4321", "0") and sorted(map(int, groups.split()[1:])) == [0, 5, 7], groups
    told = berth.status(container).user.linux
    assert (told.uid, told.gid, sorted(told.supplemental_groups)) == (4321, 0, [0, 5, 7]), told


def refused(berth, pod, linux, code=grpc.StatusCode.UNKNOWN):
    try:
        berth.create(pod, "true", name="refused", linux={"security_context": linux})
    except grpc.RpcError as e:
        assert e.code() == code, e
    else:
        raise AssertionError("it was created")
    assert not berth.runtime.ListContainers().containers
    berth.remove(berth.create(pod, "true", name="refused"))  # the name is free


def test_users_that_cannot_be(berth):
    pod = berth.run_pod(host_network=True)
    refused(berth, pod, {"run_as_group": {"value": 1}})
    refused(berth, pod, {"run_as_username": "nobody-has-this-name"})
    refused(berth, pod, {"privileged": True})


def test_a_slice_as_parent_is_a_name_for_systemd_and_a_folder_for_us(berth):
    container = berth.create(berth.run_pod(host_network=True), "true")
    info = json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])
    assert info["runtimeSpec"]["linux"]["cgroupsPath"] == cgroups.path_of(berth.cgroup_parent, container)
    assert berth.runtime.RuntimeConfig().linux.cgroup_driver == (0 if cgroups.IS_SYSTEMD else 1)


def test_low_ports_and_pings_are_for_everybody_unless_the_pod_says_otherwise(berth):
    read = "cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ping_group_range"
    assert run(berth, berth.run_pod(), read)[1].split() == ["0", "0", "2147483647"]
    for name in ("net.ipv4.ip_unprivileged_port_start", "net/ipv4/ip_unprivileged_port_start"):
        own = {"linux": {"sysctls": {name: "1000"}}}
        assert run(berth, berth.run_pod(**own), read)[1].split() == ["1000", "0", "2147483647"]
    host = pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="utf-8")
    assert run(berth, berth.run_pod(host_network=True), read)[1].split()[0] == host.strip()
