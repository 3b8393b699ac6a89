# SPDX-License-Identifier: Apache-2.0
"""Root file systems, volumes, images and standard streams of pods with a user namespace."""
from berth import IMAGE
from userns import FIRST, HANDLERS, Pod, mapping, owner, refused


def test_the_root_file_system_is_the_images_and_the_pods_files_are_its_own(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        container = pod.start("stat -c '%u:%g %n' / /bin /bin/busybox /etc/passwd /etc/hosts /dev/shm; touch /new;"
                              "chown 7:8 /new; echo x >> /etc/passwd; echo 1.2.3.4 me >> /etc/hosts; echo done; sleep 100")
        seen = pod.wait_output(container, "done\n")
        assert all(line.startswith("0:0 ") for line in seen.splitlines()[:-1]), seen
        upper = berth.dir / "root" / "containers" / container / "upper"
        berth.exec_sync(container, "sync")
        assert owner(upper / "new") == (FIRST + 7, FIRST + 8)
        assert owner(upper / "etc" / "passwd") == owner(upper) == (FIRST, FIRST)
        assert owner(next((berth.dir / "root" / "layers").glob("*/fs/bin/busybox"))) == (0, 0)


def test_volumes(berth):
    """A plain one is written by the node's ids, a mapped one by those of the container."""
    plain, mapped = berth.dir / "plain", berth.dir / "mapped"
    for folder in (plain, mapped):
        folder.mkdir()
    plain.chmod(0o777)
    one = mapped / "one"
    one.write_text("secret\n", encoding="utf-8")
    one.chmod(0o600)
    ids = {"uidMappings": mapping(), "gidMappings": mapping()}
    mounts = [{"container_path": "/plain", "host_path": str(plain)},
              {"container_path": "/mapped", "host_path": str(mapped), **ids},
              {"container_path": "/ro", "host_path": str(mapped), "readonly": True, "recursive_read_only": True, **ids},
              {"container_path": "/one", "host_path": str(one), "readonly": True, **ids}]
    for handler in HANDLERS:
        for pids in ("CONTAINER", "POD"):
            pod = Pod(berth, handler, pid=pids)
            words = pod.output("stat -c %u /plain /mapped; touch /plain/f /mapped/f; stat -c %u /plain/f /mapped/f;"
                               " touch /ro/f; cat /one", mounts=mounts)
            assert words.splitlines()[:5] == ["65534", "0", "0", "0", "secret"] and "/ro/f: Read-only" in words, words
            assert (owner(plain / "f"), owner(mapped / "f")) == ((FIRST, FIRST), (0, 0))
            (plain / "f").unlink()


def test_volumes_that_cannot_be_mapped_are_refused(berth):
    mounts = [{"container_path": "/v", "host_path": "/proc/sys", "uidMappings": mapping(), "gidMappings": mapping()}]
    for handler in HANDLERS:
        words = refused(lambda: Pod(berth, handler).create("true", mounts=mounts))
        assert '"/v": uidMappings: the file system of /proc/sys cannot map ids' in words, words
    mounts[0].update({"host_path": str(berth.dir), "uidMappings": mapping(5)})
    words = refused(lambda: Pod(berth, "runc").create("true", mounts=mounts))
    assert '"/v": uidMappings: they are not the pod' in words, words


def test_an_image_as_a_volume(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        mounts = [{"container_path": "/vol", "readonly": True, "image": {"image": IMAGE},
                   "uidMappings": mapping(), "gidMappings": mapping()}]
        words = pod.output("stat -c %u /vol /vol/bin/busybox; /vol/bin/echo ran; touch /vol/x", mounts=mounts)
        assert words.startswith("0\n0\nran\n") and "Read-only" in words, words
        mounts[0]["uidMappings"] = mapping(5)
        assert "are not those of the pod" in refused(lambda: pod.create("true", mounts=mounts))


def test_standard_streams_can_be_opened_anew(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        user = {"run_as_user": {"value": 42}, "run_as_group": {"value": 43}}
        container = pod.start("echo out > /dev/stdout; echo err > /dev/stderr; sleep 100", security=user)
        assert pod.wait_output(container, "out") == "out\n"
        code, out, err = berth.exec_sync(container, "sh", "-c", "id -u > /dev/stdout; id -g > /dev/stderr; tty")
        assert (code, out, err) == (1, "42\nnot a tty\n", "43\n"), (code, out, err)
        assert owner("/dev/null") == (0, 0)
        words = pod.output("stat -c %u $(tty); echo hi > /dev/tty", tty=True, security=user)
        assert words.split() == ["42", "hi"], words
