# SPDX-License-Identifier: Apache-2.0
"""Without a word in the configuration the kubelet is told to use systemd, unless running pods were made otherwise."""
import cgroups

STARTED = False
SYSTEMD, CGROUPFS = 0, 1


def told(berth):
    return berth.runtime.RuntimeConfig().linux.cgroup_driver


def test_it_is_found_out(berth):
    if not cgroups.IS_SYSTEMD:
        return "the pods of this pass are not made for systemd"
    del berth.config["cgroup_driver"]
    berth.start_daemon()
    assert told(berth) == SYSTEMD
    container = berth.run(berth.run_pod(), "sleep", "100")
    assert cgroups.read(berth.cgroup_parent, container, "cgroup.procs")  # in a scope of the pod's slice
    berth.restart()
    assert told(berth) == SYSTEMD


def test_pods_of_before_keep_theirs(berth):
    berth.config["cgroup_driver"] = "cgroupfs"
    berth.start_daemon()
    folder = f"/{berth.cgroup_parent.strip('/').split('.')[0]}"
    pod = berth.run_pod(linux={"cgroup_parent": folder})
    container = berth.run(pod, "sleep", "100")
    del berth.config["cgroup_driver"]
    berth.restart()
    assert told(berth) == CGROUPFS
    assert berth.exec_sync(container, "echo", "well") == (0, "well\n", "")
    assert (cgroups.ROOT / folder[1:] / container / "cgroup.procs").read_text(encoding="ascii")
    berth.run(pod, "sleep", "100")  # goes on in the same place
    berth.remove_pod(pod)
    berth.restart()
    assert told(berth) == SYSTEMD
    (cgroups.ROOT / folder[1:]).rmdir()
