#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Pulls from a real registry."""
import hashlib
import json
import os
import pathlib
import ssl
import subprocess
import time

import harness
from harness import Layout, entry, make_tar
from registry import Registry
from small_registry import SmallRegistry


def pull(folder, image, root="root", **more):
    return harness.run_job({"op": "pull", "root": str(folder / root), "image": image, **more})


def sample_layers():
    return (make_tar(entry("etc", "5"), entry("etc/os", data=b"one"), entry("bin", data=os.urandom(3000000))),
            make_tar(entry("etc", "5"), entry("etc/os", data=b"two")),
            make_tar(entry("etc/.wh.os")))


def push_sample(folder, registry, name, *options, **config):
    layout = Layout(folder / "layout")
    layout.add(layout.image(*sample_layers(), config=config), "t")
    return registry.push(f"oci:{layout.folder}:t", name, *options)


def check_stored(folder, image, root="root"):
    """What the event says is on disk."""
    for digest in (image["id"], image["manifest"], image["target"]["digest"]):
        data = (folder / root / "content/blobs/sha256" / digest[7:]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest[7:]
    chain = None
    for layer in image["layers"]:
        both = f"{chain} {layer['diff_id']}".encode()
        chain = harness.sha256(both) if chain else layer["diff_id"]
        assert layer["chain_id"] == chain
        size = (folder / root / "layers" / chain[7:] / "size").read_text()
        assert size.startswith(f"{layer['used_bytes']} {layer['inodes']} ")
    harness.assert_clean(folder / root)


def states(outcome):
    found = {}
    for event in outcome.events:
        if event["event"] == "progress":
            found.setdefault(event["layer"], []).append(event["state"])
    return found


def test_an_image_is_pulled_and_named(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "some/sample:1")
        outcome = pull(folder, name)
        assert outcome.code == 0, outcome.message()
        image = outcome.images[0]
        target = image["target"]["digest"]
        assert image["names"] == [name, f"{registry.host}/some/sample@{target}"]
        assert image["manifest"] == target and image["target"]["media_type"] == harness.MANIFEST
        manifest = json.loads((folder / "root/content/blobs/sha256" / target[7:]).read_bytes())
        assert image["id"] == manifest["config"]["digest"]
        sizes = [manifest["config"]["size"]] + [layer["size"] for layer in manifest["layers"]]
        assert image["size"] == sum(sizes) + os.stat(folder / "root/content/blobs/sha256" / target[7:]).st_size
        assert image["config"]["rootfs"]["diff_ids"] == [layer["diff_id"] for layer in image["layers"]]
        for found in states(outcome).values():
            assert found[0] == "waiting" and found[-1] == "done" and "unpacking" in found, found
        check_stored(folder, image)

        again = pull(folder, f"{registry.host}/some/sample@{target}")
        assert again.code == 0, again.message()
        assert again.images[0]["names"] == [f"{registry.host}/some/sample@{target}"]
        assert again.images[0]["layers"] == image["layers"]
        assert all(found == ["waiting", "exists"] for found in states(again).values()), states(again)


def test_zstd_layers(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "zstd:1", "--dest-compress-format=zstd")
        outcome = pull(folder, name)
        assert outcome.code == 0, outcome.message()
        check_stored(folder, outcome.images[0])


def test_docker_manifests(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "docker:1", "--format=v2s2")
        outcome = pull(folder, name)
        assert outcome.code == 0, outcome.message()
        assert "docker" in outcome.images[0]["target"]["media_type"]
        check_stored(folder, outcome.images[0])


def push_index(folder, registry, platforms):
    layout = Layout(folder / "index")
    entries = []
    for arch in platforms:
        config = {"architecture": arch, "os": "linux"}
        entries.append(layout.image(make_tar(entry("arch", data=arch.encode())), config=config, platform=config))
    entries.append(layout.json_blob({"schemaVersion": 2, "config": layout.blob(b"{}", "x/y"), "layers": []},
                                    harness.MANIFEST, platform={"architecture": "unknown", "os": "unknown"}))
    layout.add(layout.json_blob({"schemaVersion": 2, "mediaType": harness.INDEX, "manifests": entries},
                                harness.INDEX), "t")
    return registry.push(f"oci:{layout.folder}:t", "multi:1", "--all")


def test_the_platform_of_an_index(folder):
    with Registry(folder) as registry:
        name = push_index(folder, registry, ["arm64", "amd64", "s390x"])
        for arch in ("amd64", "s390x"):
            outcome = pull(folder, name, platform={"os": "linux", "architecture": arch})
            assert outcome.code == 0, outcome.message()
            image = outcome.images[0]
            assert image["config"]["architecture"] == arch
            assert image["manifest"] != image["target"]["digest"]
            assert image["names"][1].endswith(image["target"]["digest"])
            check_stored(folder, image)
        outcome = pull(folder, name, platform={"os": "linux", "architecture": "riscv64"})
        assert outcome.code == 1 and outcome.errors[0]["code"] == 5, outcome.events
        assert "linux/riscv64" in outcome.message()


def test_what_is_not_there(folder):
    with Registry(folder) as registry:
        outcome = pull(folder, f"{registry.host}/no/such:1")
        assert outcome.code == 1 and outcome.errors[0]["code"] == 5, outcome.events
        assert outcome.message().startswith(f"pull {registry.host}/no/such:1: "), outcome.message()
    outcome = pull(folder, f"{registry.host}/no/such:1")
    assert outcome.code == 1 and outcome.message().startswith("RegistryUnavailable: "), outcome.events
    assert "RegistryUnavailable" in outcome.message()


def make_certificate(certificate, key):
    harness.need("openssl")
    certificate.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=loopback", "-days", "2",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, stderr=subprocess.DEVNULL)


def test_http_2_where_the_registry_speaks_it(folder):
    """And several layers at once, by it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    make_certificate(certificate, key)
    layout = Layout(folder / "layout")
    layers = [make_tar(entry(f"file{i}", data=os.urandom(700_000))) for i in range(6)]
    layout.add(layout.image(*layers), "1")
    with Registry(folder, tls=(certificate, key)) as registry:
        name = registry.push(f"oci:{layout.folder}:1", "some/image:1")
        outcome = pull(folder, name)
        assert outcome.code == 0, outcome.message()
        check_stored(folder, outcome.images[0])
        blobs = lambda: [path for _, path, _, _ in registry.asked() if "/blobs/" in path]
        for _ in range(500):  # it writes its log when it is done, which may be after us
            if len(blobs()) >= 7:
                break
            time.sleep(0.02)
        assert len(blobs()) == 7 and {version for _, _, version, _ in registry.asked()} == {"HTTP/2.0"}, registry.asked()


def test_tls_with_certificates_from_anywhere(folder):
    """What the process that fetches needs of files, it has before its sandbox: authorities and our own certificate."""
    certificate, key, hosts = folder / "any/where/cert.pem", folder / "any/key.pem", folder / "certs.d"
    make_certificate(certificate, key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.load_verify_locations(certificate)
    layout = Layout(folder / "layout")
    layout.add(layout.image(*sample_layers()), "1")
    tls.verify_mode = ssl.CERT_REQUIRED
    with SmallRegistry(layout, tls) as registry:
        settings = hosts / (registry.host.replace(":", "_") + "_") / "hosts.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f'server = "https://{registry.host}"\nca = "{certificate}"\nclient = [["{certificate}", "{key}"]]\n')
        outcome = pull(folder, f"{registry.host}/some/image:1", hosts_dirs=[str(hosts)])
        assert outcome.code == 0, outcome.message()
        check_stored(folder, outcome.images[0])


def test_a_damaged_layer_is_refused_and_leaves_nothing(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "bad:1")
        manifest = subprocess.run(["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}"],
                                  check=True, stdout=subprocess.PIPE).stdout
        path = registry.data(json.loads(manifest)["layers"][0]["digest"])
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        outcome = pull(folder, name)
        assert outcome.code == 1 and not outcome.images, outcome.events
        harness.assert_clean(folder / "root", layers=0)


def test_two_runs_share_the_work(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "same:1")
        runs = [harness.start({"op": "pull", "root": str(folder / "root"), "image": name}) for _ in range(4)]
        outputs = [[json.loads(line) for line in run.stdout] for run in runs]
        assert [run.wait() for run in runs] == [0] * 4
        done = [e for events in outputs for e in events if e.get("state") == "done"]
        assert len(done) == 3, "each layer is unpacked once"
        check_stored(folder, outputs[0][-1])


def test_a_run_that_is_called_off_leaves_nothing(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "slow:1")
        for i, end in enumerate(("terminate", "close")):
            root = folder / f"root{i}"
            run = harness.start({"op": "pull", "root": str(root), "image": name})
            run.stdout.readline()
            if end == "close":
                run.stdout.close()
            else:
                run.terminate()
            assert run.wait(5) in (0, 1)
            if (root / "layers").exists():
                harness.assert_clean(root)


def test_a_killed_run_is_cleaned_up_by_the_next(folder):
    with Registry(folder) as registry:
        name = push_sample(folder, registry, "kill:1")
        left = False
        for _ in range(20):
            run = harness.start({"op": "pull", "root": str(folder / "root"), "image": name})
            time.sleep(0.01)
            run.kill()
            run.wait()
            names = os.listdir(folder / "root/layers") if (folder / "root/layers").exists() else []
            left = left or any(len(name) != 64 for name in names)
        outcome = pull(folder, name)
        assert outcome.code == 0, outcome.message()
        check_stored(folder, outcome.images[0])


def test_jobs_that_make_no_sense(folder):
    root = str(folder / "root")
    for job, words in (({}, "root"), ({"root": "relative"}, "root"), ({"root": root}, "operation"),
                       ({"root": root, "op": "pull"}, "no image"), ({"root": root, "op": "import"}, "path"),
                       ({"root": root, "op": "pull", "image": "UPPER/case:1:2"}, "image name \"UPPER"),
                       ({"root": root, "op": "pull", "image": "x", "concurrency": 0}, "concurrency")):
        outcome = harness.run_job(job)
        assert outcome.code == 1 and outcome.errors[0]["code"] == 3, outcome.events
        assert words in outcome.message(), outcome.message()


harness.main()
