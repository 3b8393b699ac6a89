# SPDX-License-Identifier: Apache-2.0
"""Pods with a user namespace: root inside is nobody on the node."""
import pathlib

from berth import IMAGE, wait_for
from userns import COUNT, FIRST, HANDLERS, Pod, mapping, refused, userns


def test_root_inside_is_nobody_on_the_node(berth):
    secret = berth.dir / "secret"
    secret.write_text("for root\n", encoding="utf-8")
    secret.chmod(0o600)
    mounts = [{"container_path": "/secret", "host_path": str(secret)}]
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        words = pod.output("cat /proc/self/uid_map /proc/self/gid_map; id -u; cat /secret; chown 0 /secret;"
                           " cat /proc/sys/net/ipv4/ip_forward > /dev/null && echo 1 > /proc/sys/vm/drop_caches",
                           mounts=mounts)
        assert [line.split() for line in words.splitlines()[:3]] == 2 * [["0", str(FIRST), str(COUNT)]] + [["0"]], words
        assert words.count("Permission denied") == 2 and "Operation not permitted" in words, words
        container = pod.start("echo up; sleep 100", security={"run_as_user": {"value": 42}})
        pod.wait_output(container, "up")
        pid = pathlib.Path(f"/proc/{pod.pid(container)}/status").read_text(encoding="ascii")
        assert f"Uid:\t{FIRST + 42}\t" in pid, pid


def test_what_cannot_be_is_refused_and_leaves_nothing(berth):
    def run(options, **namespaces):
        linux = {"security_context": {"namespace_options": {"userns_options": options, **namespaces}}}
        return refused(lambda: berth.run_pod(linux=linux))

    for ids, words in (([], "uids: 0 mappings"), (2 * mapping(), "uids: 2 mappings"),
                       (mapping(count=0), "length 0"), (mapping(inside=1), "container_id 1"),
                       (mapping(2**32 - 10, 10), "host_id 4294967286 and length 10 go beyond")):
        assert words in run(userns(ids)), ids
    for mode in ("CONTAINER", "TARGET"):
        assert f"userns_options.mode: {mode}" in run({"mode": mode})
    assert "mode NODE has no mappings" in run({"mode": "NODE", "uids": mapping()})
    for kind in ("pid", "ipc"):
        assert f"namespace_options.{kind}: NODE" in run(userns(mapping()), **{kind: "NODE"})
    assert not berth.runtime.ListPodSandbox().items
    assert not list((berth.dir / "run" / "pods").iterdir())


def test_a_container_has_the_namespace_of_its_pod(berth):
    pod, plain = Pod(berth), berth.run_pod()
    other = {"security_context": {"namespace_options": {"userns_options": userns(mapping(1000))}}}
    for target, linux in ((pod.id, {}), (pod.id, other), (plain, pod.linux)):
        words = refused(lambda: berth.create(target, "true", linux=linux, pod_linux=linux))
        assert "userns_options differ" in words, words
    words = refused(lambda: pod.create("true", security={"run_as_user": {"value": COUNT}}))
    assert f"user {COUNT} is not among the {COUNT}" in words, words


def test_a_pod_with_one_pid_namespace_and_sysctls(berth):
    sysctls = {"net.ipv4.ip_unprivileged_port_start": "0", "kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "99"}
    for handler in HANDLERS:
        pod = Pod(berth, handler, pid="POD", sysctls=sysctls)
        words = pod.output("cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced"
                           " fs/mqueue/msg_max; cat /proc/1/comm; ip addr show lo | grep -c LOOPBACK,UP;"
                           " readlink /proc/1/exe || cat /proc/1/environ || echo shut; kill -9 1; echo alive")
        assert words.splitlines()[:7] == ["0", "1", "99", "berth-init", "1", "shut", "alive"], words


def test_the_nodes_network(berth):
    pod = Pod(berth, network="NODE")
    words = pod.output("ls /sys/class/net/lo/; touch /sys/fs/cgroup/x; echo 1 > /sys/kernel/mm/ksm/run; cat /proc/self/uid_map")
    assert "mtu" in words and words.count("Read-only") >= 1 and str(FIRST) in words, words


def test_a_berthd_that_has_just_come_can_do_what_it_could(berth):
    """It asks the runtimes for what they can do while it serves."""
    pod = Pod(berth, network="NODE")
    for _ in range(2):
        berth.restart()
        assert berth.wait_exited(pod.start("true")).exit_code == 0


def test_by_hand(berth):
    berth.dir.chmod(0o711)
    wait_for(lambda: "with user namespaces: (default), crun, runc\n" in berth.ctl("info").stdout, what="the features")
    done = berth.ctl("run", "--log-dir", berth.logs, "--userns", 200000, IMAGE, "--", "cat", "/proc/self/uid_map")
    assert (done.returncode, done.stdout.split()) == (0, ["0", "200000", "65536"]), done
    done = berth.ctl("run", "--log-dir", berth.logs, "--userns", 2**32 - 1, IMAGE, "--", "true")
    assert done.returncode and "host_id 4294967295 and length 65536 go beyond" in done.stderr, done
    done = berth.ctl("run", "--log-dir", berth.logs, "--userns", 2**32, IMAGE, "--", "true")
    assert done.returncode and "--userns: there is no id 4294967296" in done.stderr, done
