# SPDX-License-Identifier: Apache-2.0
"""Pulls with other credentials get nothing that is there; an image that is removed meanwhile is whole or gone."""
import base64
import json
import os
import sys
import threading

import grpc

from berth import TOP, wait_for

sys.path.append(str(TOP / "tests" / "image"))
import harness  # pylint: disable=wrong-import-position
from small_registry import SmallRegistry  # pylint: disable=wrong-import-position


class PrivateRegistry(SmallRegistry):
    """Wants user:hunter2."""

    def answer(self, request):
        if request.headers.get("Authorization") == "Basic " + base64.b64encode(b"user:hunter2").decode():
            return super().answer(request)
        request.send_response(401)
        request.send_header("WWW-Authenticate", 'Basic realm="x"')
        request.send_header("Content-Length", "0")
        request.end_headers()
        return None


def make_layout(berth):
    layout = harness.Layout(berth.dir / "layout")
    layout.add(layout.image(harness.make_tar(harness.entry("file", data=os.urandom(600_000)))), "1")
    manifest = layout.folder / "blobs/sha256" / layout.entries[0]["digest"][7:]
    return layout, json.loads(manifest.read_text())["layers"][0]["digest"]


def at_once(calls):
    """What each returned, or its error."""
    outcomes = [None] * len(calls)

    def run(n):
        try:
            outcomes[n] = calls[n]()
        except grpc.RpcError as e:
            outcomes[n] = e

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    return threads, outcomes


def end(threads):
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_who_may_not_pull_gets_nothing_that_is_there(berth):
    layout, layer = make_layout(berth)
    with PrivateRegistry(layout) as registry:
        name = f"{registry.host}/x:1"
        pull = lambda **auth: berth.images.PullImage(image={"image": name}, **({"auth": auth} if auth else {})).image_ref
        id = pull(username="user", password="hunter2")
        encoded = base64.b64encode(b"user:hunter2").decode()
        assert pull(auth=encoded) == id and pull(username="user", password="hunter2", server_address=registry.host) == id
        for auth in ({}, {"username": "user", "password": "wrong"}, {"identity_token": "x"}, {"registry_token": "x"},
                     {"username": "user", "password": "hunter2", "server_address": "other.example"}):
            try:
                pull(**auth)
                raise AssertionError(f"{auth} was let in")
            except grpc.RpcError as e:
                assert "pull access denied" in e.details() and "hunter2" not in e.details(), e.details()
        assert registry.starts(layer) == [0], "the layer was there"
        berth.images.RemoveImage(image={"image": id})
        registry.stop_after[layer] = [100_000]
        threads, outcomes = at_once([lambda: pull(username="user", password="hunter2"), pull])
        wait_for(lambda: registry.starts(layer)[1:], what="the request for the layer")
        registry.released.set()
        end(threads)
        assert outcomes[0] == id and isinstance(outcomes[1], grpc.RpcError), outcomes
        log = berth.log_file.read_text()
        assert f" info pull {name}: {id}, " in log and "bytes in 1 layers, " in log, "what came is told"
        assert "access denied" in log and not any(secret in log for secret in (encoded, "hunter2", "wrong"))


def test_an_image_that_is_removed_while_it_is_pulled_is_whole_or_gone(berth):
    layout, _ = make_layout(berth)
    with SmallRegistry(layout) as registry:
        name = f"{registry.host}/x:1"
        calls = [lambda: berth.images.PullImage(image={"image": name}).image_ref,
                 lambda: berth.images.RemoveImage(image={"image": name})]
        for _ in range(15):
            threads, outcomes = at_once(calls * 2)
            end(threads)
            errors = [o.details() for o in outcomes if isinstance(o, grpc.RpcError)]
            # Who joined a pull may come too late to see what it brought.
            assert all("is not on this node" in words for words in errors), errors
            status = berth.images.ImageStatus(image={"image": name}, verbose=True)
            if status.HasField("image"):
                chain = json.loads(status.info["info"])["chainID"]
                assert (berth.dir / "root/layers" / chain[7:] / "fs/file").stat().st_size == 600_000
                assert (berth.dir / "root/content/blobs/sha256" / status.image.id[7:]).exists()
        berth.images.RemoveImage(image={"image": name})
