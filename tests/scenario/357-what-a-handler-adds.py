# SPDX-License-Identifier: Apache-2.0
"""What the configuration says of a runtime handler shows in its containers, and only there."""
import json
import subprocess

import yaml

from berth import PATIENCE, program

STARTED = False


def start(berth, **more):
    """The handler "special": crun, with these keys."""
    berth.config["runtimes"]["special"] = {"path": berth.config["runtimes"]["crun"]["path"], **more}
    berth.start_daemon()


def run(berth, handler, script, **more):
    container = berth.sh(berth.run_pod(host_network=True, handler=handler), script, **more)
    berth.wait_exited(container)
    return berth.output(container)


def spec_of(berth, container):
    info = json.loads(berth.runtime.ContainerStatus(container_id=container, verbose=True).info["info"])
    return info["runtimeSpec"]


def test_a_base_specification(berth):
    base = berth.dir / "base.json"
    base.write_text(json.dumps({
        "process": {"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}], "noNewPrivileges": True},
        "mounts": [{"destination": "/base", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"]}],
        "linux": {"maskedPaths": ["/proc/version"]}}), encoding="utf-8")
    start(berth, base_runtime_spec=str(base))
    script = "ulimit -n; ulimit -Hn; grep -c ' /base tmpfs ' /proc/mounts; wc -l </proc/version"
    assert run(berth, "special", script) == "77\n99\n1\n1\n"
    assert run(berth, "runc", script).split()[2:] == ["0", "1"]
    assert run(berth, "runc", script).split()[0] != "77"


def test_annotations_are_passed_on_by_pattern(berth):
    start(berth, pod_annotations=["pod.example/*"], container_annotations=["ctr.example/a?"])
    annotations = {"ctr.example/ab": "1", "ctr.example/abc": "2", "other": "3", "io.kubernetes.cri.sandbox-id": "forged"}
    for handler, wanted in (("special", {"ctr.example/ab": "1"}), ("runc", {})):
        pod = berth.run_pod(host_network=True, handler=handler)
        given = spec_of(berth, berth.create(pod, "true", annotations=annotations))["annotations"]
        assert {k: v for k, v in given.items() if "example" in k or k == "other"} == wanted, given
        assert given["io.kubernetes.cri.sandbox-id"] == pod


def test_a_privileged_container_without_the_nodes_devices(berth):
    start(berth, privileged_without_host_devices=True)
    security = {"linux": {"security_context": {"privileged": True}}}
    for handler, wanted in (("special", False), ("crun", True)):
        pod = berth.run_pod(host_network=True, handler=handler)
        metadata = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.metadata
        config = {"metadata": {"name": "c"}, "image": {"image": "localhost/busybox:latest"}, "args": ["true"], **security}
        sandbox = {"metadata": metadata, "linux": {"cgroup_parent": berth.cgroup_parent, **security["linux"]}}
        container = berth.runtime.CreateContainer(pod_sandbox_id=pod, config=config, sandbox_config=sandbox).container_id
        berth.ids.add(container)
        devices = [device["path"] for device in spec_of(berth, container)["linux"]["devices"]]
        assert ("/dev/null" in devices) == wanted, (handler, devices)


def test_a_profile_for_who_asks_for_none(berth):
    berth.config["unset_seccomp_profile"] = "runtime/default"
    start(berth)
    script = "grep Seccomp: /proc/self/status"
    unconfined = {"linux": {"security_context": {"seccomp": {"profile_type": "Unconfined"}}}}
    assert run(berth, "", script).split() == ["Seccomp:", "2"]
    assert run(berth, "", script, **unconfined).split() == ["Seccomp:", "0"]


def test_a_base_specification_that_is_wrong_keeps_berthd_from_starting(berth):
    base = berth.dir / "base.json"
    base.write_text('{"linux": []}', encoding="utf-8")
    berth.config["runtimes"]["crun"]["base_runtime_spec"] = str(base)
    file = berth.dir / "config.yaml"
    file.write_text(yaml.safe_dump(berth.config), encoding="utf-8")
    done = subprocess.run([program("berthd"), "--config", str(file)], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    assert done.returncode != 0 and "base_runtime_spec of runtime crun" in done.stderr, done.stderr
    assert "linux is no object" in done.stderr, done.stderr


def test_pods_that_nobody_trusts_have_a_handler_of_their_own(berth):
    berth.config["runtimes"]["untrusted"] = {"path": berth.config["runtimes"]["runc"]["path"],
                                             "container_annotations": ["mark"]}
    berth.start_daemon()
    for value, wanted in (("true", True), ("false", False)):
        pod = berth.run_pod(annotations={"io.kubernetes.cri.untrusted-workload": value})
        container = berth.run(pod, "sleep", "100", annotations={"mark": "yes"})
        assert ("mark" in spec_of(berth, container)["annotations"]) == wanted
        assert (berth.dir / "run" / "runtimes" / "untrusted" / container).exists() == wanted
