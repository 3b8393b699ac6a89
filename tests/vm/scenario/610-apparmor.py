# SPDX-License-Identifier: Apache-2.0
"""AppArmor: the default profile is loaded when it is needed; others are the administrator's to load."""
import pathlib
import subprocess

import grpc

from berth import IMAGE

LOADED = pathlib.Path("/sys/kernel/security/apparmor/profiles")
DEFAULT = "cri-containerd.apparmor.d"
OURS = "berth-scenario-no-passwd"
PROFILE = f"profile {OURS} flags=(attach_disconnected) {{\n file,\n network,\n capability,\n signal,\n" \
          " deny /etc/passwd r,\n}\n"
WHO = "cat /proc/self/attr/current"
FORBIDDEN = "mount -t tmpfs t /tmp 2>/dev/null || echo no mount; { echo h >/proc/sysrq-trigger; } 2>/dev/null || echo no sysrq"


def parser(*words, text=PROFILE):
    subprocess.run(["apparmor_parser", *words], input=text, text=True, check=True)


def loaded():
    return {line.rsplit(" ", 1)[0] for line in LOADED.read_text(encoding="ascii").splitlines()}


def profile(kind, ref=""):
    return {"security_context": {"apparmor": {"profile_type": kind, "localhost_ref": ref}}}


def output(berth, pod, script, linux=None):
    container = berth.sh(pod, script, linux=linux or {})
    assert berth.wait_exited(container, timeout=60).exit_code == 0, berth.log(container)
    return berth.output(container)


def refused(berth, pod, linux):
    try:
        berth.run(pod, "true", linux=linux)
    except grpc.RpcError as e:
        return e.details()
    raise AssertionError("it was started")


def test_the_default_profile_is_loaded_at_first_need_and_holds(berth):
    if DEFAULT in loaded():
        parser("-R", text=f"profile {DEFAULT} {{ }}")
    assert DEFAULT not in loaded()
    pod = berth.run_pod(host_network=True)
    admin = {"security_context": {"capabilities": {"add_capabilities": ["ALL"]}}}
    assert output(berth, pod, f"{WHO}; {FORBIDDEN}", admin) == f"{DEFAULT} (enforce)\nno mount\nno sysrq\n"
    assert DEFAULT in loaded()
    assert output(berth, pod, WHO, profile("RuntimeDefault")) == f"{DEFAULT} (enforce)\n"


def test_unconfined_is_what_it_says(berth):
    pod = berth.run_pod(host_network=True)
    assert output(berth, pod, WHO, profile("Unconfined")) == "unconfined\n"


def test_privileged_is_unconfined_too(berth):
    words = {"cgroup_parent": berth.cgroup_parent, "security_context": {"privileged": True}}
    pod = berth.run_pod(host_network=True, linux=words)
    metadata = berth.runtime.PodSandboxStatus(pod_sandbox_id=pod).status.metadata
    container = berth.runtime.CreateContainer(
        pod_sandbox_id=pod, sandbox_config={"metadata": metadata, "linux": words},
        config={"metadata": {"name": "privileged"}, "image": {"image": IMAGE}, "args": ["sleep", "100"],
                "linux": {"security_context": {"privileged": True}}}).container_id
    berth.ids.add(container)
    berth.start(container)
    assert berth.exec_sync(container, "cat", "/proc/self/attr/current") == (0, "unconfined\n", "")


def test_a_profile_of_the_node_holds_for_the_container_and_its_execs(berth):
    parser("-Kr")
    pod = berth.run_pod(host_network=True)
    try:
        for runtime_words in (profile("Localhost", f"localhost/{OURS}"), profile("Localhost", OURS),
                              {"security_context": {"apparmor_profile": f"localhost/{OURS}"}}):
            container = berth.sh(pod, f"{WHO}; cat /etc/passwd 2>/dev/null || echo denied; sleep 100",
                                 linux=runtime_words)
            code, out, _ = berth.exec_sync(container, "sh", "-c", f"{WHO}; cat /etc/passwd 2>/dev/null || echo denied")
            assert (code, out) == (0, f"{OURS} (enforce)\ndenied\n"), out
            assert berth.output(container) == out
            berth.stop(container)
    finally:
        parser("-R")


def test_one_that_is_not_loaded_is_refused(berth):
    pod = berth.run_pod(host_network=True)
    assert OURS not in loaded()
    words = refused(berth, pod, profile("Localhost", f"localhost/{OURS}"))
    assert OURS in words and "not loaded" in words, words


def test_one_that_is_unloaded_before_the_start_is_refused(berth):
    parser("-Kr")
    container = berth.create(berth.run_pod(host_network=True), "true", linux=profile("Localhost", OURS))
    parser("-R")
    try:
        berth.start(container)
    except grpc.RpcError as e:
        assert "OCI runtime run failed" in e.details(), e
    else:
        raise AssertionError("it was started")
