# SPDX-License-Identifier: Apache-2.0
"""A pod with a network runs a container; its output is in the log; everything goes again."""


def test_run_log_stop_remove(berth):
    pod = berth.run_pod()
    status = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status
    assert status.state == 0 and status.network.ip.startswith("10.89.0."), status
    container = berth.sh(pod, "echo out; echo err >&2; exit 3")
    ended = berth.wait_exited(container)
    assert (ended.exit_code, ended.reason) == (3, "Error"), ended
    assert ended.started_at <= ended.finished_at and ended.created_at > 0
    assert sorted(berth.log(container)) == [("stderr", "F", "err"), ("stdout", "F", "out")]
    berth.remove(container)
    assert not berth.runtime.ListContainers().containers
    berth.remove_pod(pod)
    assert not berth.runtime.ListPodSandbox().items


def test_the_default_runtimes_both_work(berth):
    for handler in ("crun", "runc"):
        pod = berth.run_pod(handler=handler)
        container = berth.sh(pod, "hostname; exit 0", name=f"by-{handler}")
        ended = berth.wait_exited(container)
        assert (ended.exit_code, ended.reason) == (0, "Completed"), ended


def test_a_pod_has_its_hostname_dns_and_network(berth):
    pod = berth.run_pod(hostname="nemo", dns_config={"servers": ["10.0.0.10"], "searches": ["a.b"],
                                                     "options": ["ndots:5"]})
    ip = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip
    container = berth.run(pod, "sleep", "100")
    code, out, _ = berth.exec_sync(container, "sh", "-c", "hostname; cat /etc/hostname /etc/resolv.conf; ip addr")
    assert code == 0
    assert out.startswith("nemo\nnemo\nsearch a.b\nnameserver 10.0.0.10\noptions ndots:5\n"), out
    assert f"inet {ip}/" in out and "LOOPBACK,UP" in out, out


def test_a_pod_on_the_host_network_has_no_address(berth):
    pod = berth.run_pod(host_network=True)
    assert berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip == ""
    container = berth.run(pod, "true")
    assert berth.wait_exited(container).exit_code == 0


def test_a_pod_reaches_its_gateway(berth):
    pod = berth.run_pod()
    container = berth.run(pod, "ping", "-c", "1", "-W", "60", "10.89.0.1")
    assert berth.wait_exited(container).exit_code == 0, berth.log(container)
