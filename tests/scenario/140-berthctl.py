# SPDX-License-Identifier: Apache-2.0
"""The operator's tool: what it prints and how it ends."""
import json
import os
import signal
import socket
import subprocess

from berth import IMAGE, PATIENCE, program, wait_for
from gate import Gate


def test_run_prints_the_log_and_leaves_nothing(berth):
    done = berth.ctl("run", "--log-dir", berth.logs, IMAGE, "--", "sh", "-c", "echo out; echo err >&2; exit 4")
    assert (done.returncode, done.stdout, done.stderr) == (4, "out\n", "err\n"), done
    assert not berth.runtime.ListPodSandbox().items
    assert not os.listdir(berth.logs)


def test_an_interrupted_run_stops_its_pod(berth):
    command = [program("berthctl"), "--socket", berth.socket, "run", "--log-dir", berth.logs, IMAGE, "--",
               "sh", "-c", "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.1; done"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ctl:
        assert ctl.stdout.readline() == "ready\n"
        ctl.send_signal(signal.SIGINT)
        assert ctl.stdout.read() == "bye\n"
    assert ctl.returncode == 9, ctl
    assert not berth.runtime.ListPodSandbox().items


def test_a_pod_is_looked_at_and_removed(berth):
    started = berth.ctl("run", "-d", "--name", "web", "--log-dir", berth.logs, IMAGE, "--",
                        "sh", "-c", "echo one; sleep 600")
    container = started.stdout.strip()
    assert started.returncode == 0 and len(container) == 64, started
    assert container[:12] in berth.ctl("ps").stdout
    assert json.loads(berth.ctl("pods", "-o", "json").stdout)["items"][0]["metadata"]["name"] == "web"
    done = berth.ctl("exec", container[:6], "--", "sh", "-c", "echo in; exit 3")
    assert (done.returncode, done.stdout) == (3, "in\n"), done
    assert berth.ctl("logs", "web").stdout == "one\n"
    refused = berth.ctl("rm", "web")
    assert refused.stderr == "berthctl: pod web runs: stop it first, or use rm -f\n", refused
    assert berth.ctl("stop", "web").returncode == 0
    assert berth.ctl("rm", "web").returncode == 0
    assert berth.ctl("ps", "-a").stdout.count("\n") == 1


def test_a_name_is_for_one(berth):
    """The second would write into the first one's log, and take it away with its own end."""
    first = berth.ctl("run", "-d", "--name", "web", "--log-dir", berth.logs, IMAGE, "--", "sh", "-c", "echo one; sleep 600")
    assert first.returncode == 0, first
    done = berth.ctl("run", "--name", "web", "--log-dir", berth.logs, IMAGE, "--", "echo", "two")
    assert done.returncode == 125, done
    assert done.stderr == "berthctl: there is a pod called web: remove it, or choose another --name\n", done
    assert berth.ctl("logs", "web").stdout == "one\n"
    berth.ctl("rm", "-f", "web")
    assert berth.ctl("run", "--name", "web", "--log-dir", berth.logs, IMAGE, "--", "echo", "two").stdout == "two\n"
    (berth.logs / "web").mkdir()
    (berth.logs / "web" / "mine").touch()
    assert berth.ctl("run", "--name", "web", "--log-dir", berth.logs, IMAGE, "--", "echo", "two").stdout == "two\n"
    assert os.listdir(berth.logs / "web") == ["mine"]


def test_logs_follow_a_rotation(berth):
    pod = berth.run_pod()
    gate = Gate(berth)
    c = berth.sh(pod, "i=0; until [ -e /gate/open ]; do echo $i; i=$((i+1)); sleep 0.05; done", mounts=[gate.mount])
    path = berth.status(c).log_path
    command = [program("berthctl"), "--socket", berth.socket, "logs", "-f", c]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ctl:
        got = [ctl.stdout.readline() for _ in range(3)]
        os.rename(path, path + ".1")
        berth.runtime.ReopenContainerLog(container_id=c)
        wait_for(lambda: len(berth.log(c)) > 3, what="lines in the new file")
        gate.open()
        got += ctl.stdout.readlines()
        assert got == [f"{i}\n" for i in range(len(got))] and len(got) > 6, got
    assert ctl.returncode == 0, ctl


def test_only_the_end_of_a_log(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.run(pod, "sh", "-c", "for i in 1 2 3 4; do echo $i; done")
    berth.wait_exited(container)
    assert berth.ctl("logs", "--tail", "2", container).stdout == "3\n4\n"
    assert berth.ctl("logs", "-n", "0", container).stdout == ""
    assert berth.ctl("logs", container).stdout == "1\n2\n3\n4\n"


def test_a_published_port_leads_to_the_pod(berth):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    started = berth.ctl("run", "-d", "-p", f"127.0.0.1:{port}:80", "--log-dir", berth.logs, IMAGE, "--",
                        "sh", "-c", "while :; do echo hello | nc -l -p 80; done")
    assert started.returncode == 0, started.stderr

    def answer():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
                return s.recv(100) == b"hello\n"
        except OSError:
            return False

    wait_for(answer, what="an answer from the pod")
    done = berth.ctl("run", "-p", "80", IMAGE)
    assert done.returncode == 125 and "HOSTPORT:PORT" in done.stderr, done


def test_errors_are_one_sentence(berth):
    done = berth.ctl("exec", "nobody", "--", "ls")
    assert done.returncode == 125, done
    assert done.stderr == 'berthctl: no container has the id or name "nobody": see berthctl ps -a\n', done
    berth.stop_daemon()
    done = berth.ctl("ps")
    assert done.returncode == 1 and done.stderr == (
        f"berthctl: nobody listens on {berth.socket}: start berthd, or name its socket with --socket\n"), done
