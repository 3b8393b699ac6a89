# SPDX-License-Identifier: Apache-2.0
"""What reaches into a pod with a user namespace from outside: network, exec, attach, forwards, stats, updates."""
import subprocess

from berth import wait_for
from streaming import Spdy, attach, run
from userns import HANDLERS, Pod


def test_its_network(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        address = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod.id).status.network.ip
        container = pod.start("id -u; cat /sys/class/net/eth0/operstate; httpd -f -p 80 -h /etc")
        pod.wait_output(container, "0\nup\n")
        page = lambda: subprocess.run(["busybox", "wget", "-qO-", f"http://{address}/passwd"], capture_output=True, check=False)
        wait_for(lambda: b"root:" in page().stdout, what="an answer of the pod's web server")
        assert berth.exec_sync(container, "ping", "-c", "1", "-W", "60", "127.0.0.1")[0] == 0
        code, ports, _ = berth.exec_sync(container, "cat", "/proc/sys/net/ipv4/ping_group_range")
        assert (code, ports.split()) == (0, ["0", "65535"]), ports


def test_terminals_and_clients(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        user = {"run_as_user": {"value": 42}}
        container = pod.start("read x; echo got $x; read y", stdin=True, security=user)
        client = run(berth, container, "sh", stdin=True, tty=True)
        client.send(client.stdin, b"id -u; stat -c owner=%u $(tty); exit 3\n")
        assert client.exit_code() == 3
        assert "42\r\nowner=42" in client.output(client.stdout), client.output(client.stdout)
        client = attach(berth, container, stdin=True)
        client.send(client.stdin, b"this\n")
        client.receive(lambda client=client: "got this" in client.output(client.stdout))
        client.close()


def test_a_forwarded_connection(berth):
    pod = Pod(berth)
    container = pod.start("nc -ll -p 7000 -e cat")
    wait_for(lambda: berth.exec_sync(container, "sh", "-c", "echo x | nc -w 1 127.0.0.1 7000")[1], what="the server")
    client = Spdy(berth.runtime.PortForward(pod_sandbox_id=pod.id, port=[7000]).url, "portforward.k8s.io")
    error = client.stream(streamtype="error", port=7000, requestid=1)
    client.send(error, end=True)
    data = client.stream(streamtype="data", port=7000, requestid=1)
    client.send(data, b"hello\n", end=True)
    client.receive(lambda: "hello" in client.output(data))
    client.close()


def test_stats_limits_and_the_log(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        container = pod.start("dd if=/dev/zero of=/written bs=1M count=3 2>/dev/null; sync; echo done; sleep 100")
        pod.wait_output(container, "done")
        stats = berth.runtime.ContainerStats(container_id=container).stats
        assert stats.memory.working_set_bytes.value > 0 and stats.writable_layer.used_bytes.value >= 3 << 20, stats
        network = berth.runtime.PodSandboxStats(pod_sandbox_id=pod.id).stats.linux.network
        assert network.default_interface.name == "eth0", network
        berth.runtime.UpdateContainerResources(container_id=container, linux={"memory_limit_in_bytes": 64 << 20})
        assert berth.status(container).resources.linux.memory_limit_in_bytes == 64 << 20
        berth.runtime.ReopenContainerLog(container_id=container)


def test_a_debugger_beside_its_target(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        target = pod.start("echo up; sleep 1000")
        pod.wait_output(target, "up")
        options = {**pod.linux["security_context"]["namespace_options"], "pid": "TARGET", "target_id": target}
        words = pod.output("cat /proc/1/comm; stat -c %u /proc/1/root/bin/busybox; kill 1 && echo sent",
                           security={"namespace_options": options})
        assert words.split() == ["sh", "0", "sent"] or words.split() == ["sleep", "0", "sent"], words
