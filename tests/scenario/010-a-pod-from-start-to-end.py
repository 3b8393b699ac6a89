# SPDX-License-Identifier: Apache-2.0
"""The path of every pod: run, create, start, its log, its exit, and gone."""


def test_a_container_runs_to_its_end(berth):
    pod = berth.run_pod("web")
    c = berth.sh(pod, "echo out; echo err >&2; hostname; exit 7")
    status = berth.wait_exited(c)
    assert status.exit_code == 7, status
    assert status.reason == "Error", status
    assert status.started_at >= status.created_at and status.finished_at >= status.started_at, status
    assert berth.output(c) == "out\nweb\n", berth.log(c)
    assert berth.output(c, "stderr") == "err\n", berth.log(c)
    berth.remove(c)
    assert not berth.runtime.ListContainers().containers
    berth.remove_pod(pod)
    assert not berth.runtime.ListPodSandbox().items


def test_a_pod_has_an_address_that_answers(berth):
    pod = berth.run_pod()
    c = berth.sh(pod, "ip -4 -o addr show eth0; ping -c 1 -W 5 10.89.0.1")
    assert berth.wait_exited(c).exit_code == 0, berth.log(c)
    ip = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.network.ip
    assert f" {ip}/24 " in berth.output(c), (ip, berth.log(c))


def test_exec_sees_the_container(berth):
    pod = berth.run_pod()
    c = berth.run(pod, "sleep", "600")
    assert berth.exec_sync(c, "sh", "-c", "echo hi; echo no >&2; exit 3") == (3, "hi\n", "no\n")
    berth.stop(c)
    status = berth.wait_exited(c)
    assert status.exit_code == 137, status
