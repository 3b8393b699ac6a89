# SPDX-License-Identifier: Apache-2.0
"""Images and requests that try to reach the node: links out of the root file system, folders that are descriptors,
mounts over /proc. With either runtime nothing of the node is read or written."""
import pathlib

import grpc

import hostile

RUNTIMES = ("crun", "runc")
STARTED = False
UP = "../" * 12
SECRET = "intruder:x:4321:4321:of the node:/:/bin/sh\n"  # passwd and group too


def start(berth, links, **settings):
    """berthd with an image of such links; a folder of the node that nobody may touch."""
    kept = berth.dir / "kept"
    kept.mkdir()
    (kept / "secret").write_text(SECRET, encoding="utf-8")
    links = {name: to.format(kept=kept, up=UP + str(kept)[1:]) for name, to in links.items()}
    layout = hostile.derive(berth.image, berth.dir / "hostile", links, **settings)
    berth.start_daemon()
    berth.import_image(layout)
    return kept


def attempt(berth, runtime, script, **more):
    """What it wrote; "" when it could not even be started, which is as good."""
    pod = berth.run_pod(handler=runtime)
    more.setdefault("image", {"image": hostile.NAME})
    try:
        container = berth.sh(pod, script, **more)
    except grpc.RpcError:
        return ""
    berth.wait_exited(container)
    return berth.output(container)


def untouched(kept):
    return [p.name for p in kept.iterdir()] == ["secret"] and (kept / "secret").read_text(encoding="utf-8") == SECRET


def test_users_are_not_looked_up_in_the_nodes_files(berth):
    start(berth, {"etc/passwd": "{up}/secret", "etc/group": "{kept}/secret"})
    pod = berth.run_pod(host_network=True)
    try:
        berth.create(pod, "true", image={"image": hostile.NAME},
                     linux={"security_context": {"run_as_username": "intruder"}})
    except grpc.RpcError as e:
        assert '"intruder" is not in /etc/passwd of the image' in e.details(), e
    else:
        raise AssertionError("the node's users were found")


def test_places_of_mounts_stay_inside(berth):
    kept = start(berth, {"data": "{up}", "link": "{kept}", "etc/hosts": "{up}/secret"})
    (berth.dir / "source").mkdir()
    (berth.dir / "source" / "f").write_text("mounted\n", encoding="utf-8")
    mounts = [{"container_path": f"/{name}/x", "host_path": str(berth.dir / "source")} for name in ("data", "link")]
    for runtime in RUNTIMES:
        out = attempt(berth, runtime, "cat /data/x/f /link/x/f; cat /link/secret /data/secret /etc/hosts; touch /link/y",
                      mounts=mounts)
        assert not out or out.startswith("mounted\nmounted\n"), (runtime, out)  # crun makes no folders through links
        assert "of the node" not in out, (runtime, out)
        assert untouched(kept), runtime


def test_our_files_take_the_place_of_links(berth):
    kept = start(berth, {"etc/hosts": "{kept}/secret", "etc/resolv.conf": "../run/systemd/resolve/stub-resolv.conf"})
    for runtime in RUNTIMES:
        out = attempt(berth, runtime, "grep -q localhost /etc/hosts && echo named; cat /etc/resolv.conf >/dev/null && echo there")
        assert out == "named\nthere\n", (runtime, out)
        assert untouched(kept), runtime


def test_volumes_of_the_image_are_not_filled_from_the_node(berth):
    kept = start(berth, {"vol": "{up}", "data": "{kept}"}, Volumes={"/vol": {}, "/data/deep": {}})
    for runtime in RUNTIMES:
        out = attempt(berth, runtime, "cat /vol/* /data/deep/* /data/*; touch /vol/x /data/deep/x; echo done")
        assert "of the node" not in out, (runtime, out)
        assert untouched(kept), runtime


def test_folders_of_the_kernel_that_are_links(berth):
    kept = start(berth, {"proc": "{up}", "sys": "{kept}", "dev": "{up}"})
    for runtime in RUNTIMES:
        out = attempt(berth, runtime, "cat /proc/secret /sys/secret /dev/secret; echo done")
        assert "of the node" not in out, (runtime, out)
        assert untouched(kept), runtime


def test_a_working_folder_that_is_a_descriptor(berth):
    kept = start(berth, {"cwd": "/proc/self/fd/7"})
    for runtime in RUNTIMES:
        for folder in ["/cwd", *(f"/proc/self/fd/{n}" for n in range(3, 12))]:
            out = attempt(berth, runtime, f"cat {UP}{str(kept)[1:]}/secret; ls {UP}root", working_dir=folder)
            assert "of the node" not in out, (runtime, folder)


def test_mounts_over_proc_give_nothing_of_the_node(berth):
    kept = start(berth, {})
    for runtime in RUNTIMES:
        for place in ("/proc", "/proc/self", "/proc/1/attr"):
            mounts = [{"container_path": place, "host_path": str(berth.dir / "fake")}]
            attempt(berth, runtime, "echo x >/proc/sys/kernel/hostname", mounts=mounts)
    assert untouched(kept) and pathlib.Path("/proc/self/attr").exists()


def test_a_program_that_is_the_runtime_itself(berth):
    start(berth, {"run": "/proc/self/exe"})
    before = {name: pathlib.Path(berth.config["runtimes"][name]["path"]).read_bytes() for name in RUNTIMES}
    for runtime in RUNTIMES:
        pod = berth.run_pod(host_network=True, handler=runtime)
        for program in ("/run", "/proc/self/exe"):
            try:
                berth.wait_exited(berth.start(berth.create(pod, program, image={"image": hostile.NAME})))
            except grpc.RpcError:
                pass
        assert berth.exec_sync(berth.run(pod, "sleep", "100"), "echo", "well") == (0, "well\n", "")
    assert before == {name: pathlib.Path(berth.config["runtimes"][name]["path"]).read_bytes() for name in RUNTIMES}
