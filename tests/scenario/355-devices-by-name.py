# SPDX-License-Identifier: Apache-2.0
"""CDI: what a vendor's file says of a device is in the container that asks for it, with either runtime."""
import grpc
import yaml

RUNTIMES = ("crun", "runc")
STARTED = False


def start(berth):
    """Two folders for files, a low and a high one."""
    folders = [berth.dir / "cdi-low", berth.dir / "cdi-high"]
    for folder in folders:
        folder.mkdir()
    berth.config["cdi_spec_dirs"] = [str(folder) for folder in folders]
    berth.start_daemon()
    return folders


def write(path, devices, **more):
    devices = [{"name": name, "containerEdits": edits} for name, edits in devices.items()]
    file = {"cdiVersion": "0.7.0", "kind": "vendor.com/thing", "devices": devices, **more}
    path.write_text(yaml.safe_dump(file), encoding="utf-8")


def ask(*names):
    return [{"name": f"vendor.com/thing={name}"} for name in names]


def run(berth, pod, script, **more):
    container = berth.sh(pod, script, **more)
    return berth.wait_exited(container).exit_code, berth.output(container)


def refusal(berth, pod, **more):
    try:
        berth.create(pod, "true", **more)
    except grpc.RpcError as e:
        assert not berth.runtime.ListContainers().containers
        return e.details()
    raise AssertionError("it was created")


def test_all_edits_show_in_the_container(berth):
    low, _ = start(berth)
    (berth.dir / "shared").mkdir()
    hook = ["sh", "-c", f"cat > {berth.dir}/hook-ran"]
    write(low / "vendor.yaml", {"0": {
        "env": ["THING=0", "PATH=/bin:/vendor"],
        "deviceNodes": [{"path": "/dev/nought", "hostPath": "/dev/zero"},
                        {"path": "/dev/odd", "type": "c", "major": 250, "minor": 77, "permissions": "r"}],
        "mounts": [{"hostPath": str(berth.dir / "shared"), "containerPath": "/vendor/data", "options": ["rbind", "ro"]}],
        "hooks": [{"hookName": "createRuntime", "path": "/bin/sh", "args": hook}],
        "additionalGids": [4242]}}, containerEdits={"env": ["ALL=things"]})
    # Nobody drives the odd device, but whether it may be opened is asked before that.
    script = ("echo $THING $ALL $PATH; head -c 3 /dev/nought | wc -c; (: </dev/odd) 2>&1; (: >/dev/odd) 2>&1;"
              "touch /vendor/data/x || echo read-only; id -G")
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        code, out = run(berth, pod, script, CDI_devices=ask("0"))
        first, size, reading, writing, *rest = out.splitlines()
        assert (code, first, size, rest) == (0, "0 things /bin:/vendor", "3", ["read-only", "0 4242"]), (runtime, out)
        assert "not permitted" in writing and "not permitted" not in reading, (runtime, out)
        assert '"id"' in (berth.dir / "hook-ran").read_text(encoding="utf-8"), runtime
        (berth.dir / "hook-ran").unlink()


def test_annotations_ask_too_and_the_higher_folder_wins(berth):
    low, high = start(berth)
    write(low / "a.yaml", {"a": {"env": ["A=low"]}, "b": {"env": ["B=low"]}})
    write(high / "a.yaml", {"a": {"env": ["A=high"]}})
    pod = berth.run_pod(host_network=True)
    asked = {"cdi.k8s.io/plugin": "vendor.com/thing=a,vendor.com/thing=b"}
    assert run(berth, pod, "echo $A $B", annotations=asked, CDI_devices=ask("a")) == (0, "high low\n")
    (high / "a.yaml").unlink()  # what changes is seen without a restart
    assert run(berth, pod, "echo $A $B", annotations=asked) == (0, "low low\n")


def test_what_cannot_be_resolved_is_named_and_nothing_is_made(berth):
    low, _ = start(berth)
    pod = berth.run_pod(host_network=True)
    write(low / "a.yaml", {"a": {"env": ["A=1"]}, "twice": {"env": ["A=1"]}, "gone": {"deviceNodes": [{"path": "/dev/no"}]}})
    write(low / "b.yaml", {"twice": {"env": ["A=2"]}})
    (low / "broken.json").write_text("{", encoding="utf-8")
    words = refusal(berth, pod, CDI_devices=ask("a", "b", "c"))
    assert "unresolvable CDI devices vendor.com/thing=b, vendor.com/thing=c" in words, words
    words = refusal(berth, pod, CDI_devices=ask("twice"))
    assert "a.yaml" in words and "b.yaml" in words, words
    words = refusal(berth, pod, CDI_devices=ask("gone"))
    assert 'host device "/dev/no"' in words, words
    words = refusal(berth, pod, annotations={"cdi.k8s.io/x": "nonsense"})
    assert '"nonsense" is not the name of a CDI device' in words, words
    assert "broken.json is passed over: JSON at byte" in berth.log_file.read_text(encoding="utf-8")
    assert run(berth, pod, "echo $A", CDI_devices=ask("a")) == (0, "1\n")
