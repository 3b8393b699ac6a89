# SPDX-License-Identifier: Apache-2.0
"""The program that crun made of a seccomp profile is given to the containers that follow, for their own profile."""
import json
import pathlib

DEFAULT = {"security_context": {"seccomp": {"profile_type": 0}}}
ANNOTATION = "run.oci.seccomp_bpf_data"


def look(berth, pod, **more):
    """Whether a program came with it, how many filters it has, and whether they let it make a user namespace."""
    container = berth.sh(pod, "sleep 1000", **more)
    spec = json.loads((berth.dir / "run/pods" / pod / "c" / container / "config.json").read_text(encoding="utf-8"))
    script = "grep Seccomp_filters /proc/self/status; unshare -U true && echo free"
    _, out, _ = berth.exec_sync(container, "sh", "-c", script)
    return ANNOTATION in spec["annotations"], out.split()


def test_the_second_is_confined_like_the_first(berth):
    pod = berth.run_pod(host_network=True)
    assert look(berth, pod, linux=DEFAULT) == (False, ["Seccomp_filters:", "1"])
    assert look(berth, pod, linux=DEFAULT) == (True, ["Seccomp_filters:", "1"])
    assert look(berth, pod) == (False, ["Seccomp_filters:", "0", "free"])


def test_another_profile_has_another_program(berth):
    path = berth.dir / "profile.json"
    kind = {"profile_type": 2, "localhost_ref": str(path)}
    pod = berth.run_pod(host_network=True)
    for denied, wanted in (("unshare", []), ("swapon", ["free"])):
        path.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": [denied], "action": "SCMP_ACT_ERRNO"}]}), encoding="utf-8")
        for is_second in (False, True):
            found = look(berth, pod, linux={"security_context": {"seccomp": kind}})
            assert found == (is_second, ["Seccomp_filters:", "1", *wanted]), (denied, found)


def test_runc_makes_its_own(berth):
    pod = berth.run_pod(host_network=True, handler="runc")
    for _ in range(2):
        assert look(berth, pod, linux=DEFAULT) == (False, ["Seccomp_filters:", "1"])
    assert not list(pathlib.Path(berth.dir / "run/runtimes/runc").glob("*/seccomp.bpf"))
