# SPDX-License-Identifier: Apache-2.0
"""Names and retries: a name is taken by what lives, joined by a retry, and free after every failure."""
import threading

import grpc

from berth import wait_for
from gate import GatedNetwork

C = grpc.StatusCode


def refused(call, code):
    try:
        call()
    except grpc.RpcError as e:
        assert e.code() == code, e
        return e.details()
    raise AssertionError("it was accepted")


def test_a_name_that_lives_is_refused_and_one_that_is_gone_is_free(berth):
    pod = berth.run_pod(name="p", host_network=True)
    assert pod in refused(lambda: berth.run_pod(name="p", host_network=True), C.FAILED_PRECONDITION)
    container = berth.create(pod, "true", name="c")
    assert container in refused(lambda: berth.create(pod, "true", name="c"), C.FAILED_PRECONDITION)
    berth.remove(container)
    container = berth.create(pod, "/no/such/program", name="c")
    refused(lambda: berth.start(container), C.UNKNOWN)
    refused(lambda: berth.create(pod, "true", name="c"), C.FAILED_PRECONDITION)
    berth.stop(container)
    berth.remove(container)
    berth.create(pod, "true", name="c")
    berth.remove_pod(pod)
    berth.run_pod(name="p", host_network=True)


def test_the_attempt_is_part_of_the_name(berth):
    config = berth.pod_config("p", host_network=True)
    for attempt in (0, 1):
        config["metadata"]["attempt"] = attempt
        berth.runtime.RunPodSandbox(config=config)
    assert len(berth.runtime.ListPodSandbox().items) == 2


def test_every_failure_frees_the_name(berth):
    pod = berth.run_pod(host_network=True)
    failures = [{"image": {"image": "no/such:image"}}, {"stop_signal": 200}, {"log_path": "../out"},
                {"linux": {"security_context": {"run_as_username": "nobody-has-this-name"}}},
                {"mounts": [{"container_path": "/x", "host_path": "/dev/null/x"}]}]
    for more in failures:
        try:
            berth.create(pod, "true", name="again", **more)
        except grpc.RpcError as e:
            assert e.code() not in (C.FAILED_PRECONDITION, C.DEADLINE_EXCEEDED), e
        else:
            raise AssertionError(f"{more} was accepted")
        assert not berth.runtime.ListContainers().containers
    berth.create(pod, "true", name="again")
    for more in ({"host_network": True, "hostname": "x"}, {"port_mappings": [{"host_port": 99999, "container_port": 1}]},
                 {"linux": {"sysctls": {"no.such": "1"}}}):
        try:
            berth.run_pod(name="pod-again", **more)
        except grpc.RpcError as e:
            assert e.code() not in (C.FAILED_PRECONDITION, C.DEADLINE_EXCEEDED), e
        else:
            raise AssertionError(f"{more} was accepted")
        assert len(berth.runtime.ListPodSandbox().items) == 1
    berth.run_pod(name="pod-again")


def test_of_two_at_once_one_loses_at_once(berth):
    outcomes = []

    def run():
        try:
            outcomes.append(berth.run_pod(name="both"))
        except grpc.RpcError as e:
            outcomes.append(e.code())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(C.FAILED_PRECONDITION) == 1, outcomes


def pods_named(berth, name):
    return [p.id for p in berth.runtime.ListPodSandbox().items if p.metadata.name == name]


def test_a_retry_finds_what_its_first_request_began(berth):
    for timeout in (0.001, 0.005, 0.02, 0.08):
        name = f"left-{timeout}"
        config = berth.pod_config(name)
        try:
            first = berth.runtime.RunPodSandbox(config=config, rpc_timeout=timeout).pod_sandbox_id
        except grpc.RpcError as e:
            assert e.code() == C.DEADLINE_EXCEEDED, e
            # The answer may have been on its way when the client left, which berthd cannot know.
            first = wait_for(lambda: retried(berth, config) or pods_named(berth, name), what="the pod")
        assert pods_named(berth, name) == (first if isinstance(first, list) else [first])


def retried(berth, config):
    """The pod, or None when berthd takes the first request for one whose client waits, or got its answer."""
    try:
        return berth.runtime.RunPodSandbox(config=config).pod_sandbox_id
    except grpc.RpcError as e:
        assert e.code() == C.FAILED_PRECONDITION, e
        return None


def code_of(call):
    try:
        call()
    except grpc.RpcError as e:
        return e.code()
    return C.OK


def test_a_retry_joins_what_is_still_being_made(berth):
    network = GatedNetwork(berth)
    config = berth.pod_config("left")
    first = berth.runtime.RunPodSandbox.future(config=config)
    wait_for(network.log.exists, what="the plugin's ADD")
    refused(lambda: berth.runtime.RunPodSandbox(config=config), C.FAILED_PRECONDITION)  # its client waits
    first.cancel()
    wait_for(lambda: code_of(lambda: berth.runtime.RunPodSandbox(config=config, rpc_timeout=2)) == C.DEADLINE_EXCEEDED,
             what="a retry that waits")
    assert not pods_named(berth, "left")
    network.open()
    pod = berth.runtime.RunPodSandbox(config=config).pod_sandbox_id
    assert pods_named(berth, "left") == [pod]


def test_a_pod_whose_network_cannot_be_taken_down_stays_and_is_removed_later(berth):
    pod = berth.run_pod(name="held")
    good = (berth.dir / "net.d" / "10-scenario.conflist").read_text(encoding="utf-8")
    folder = berth.dir / "addresses" / "scenario"
    folder.rename(folder.with_name("away"))
    folder.write_text("not a folder", encoding="utf-8")
    try:
        berth.remove_pod(pod)
    except grpc.RpcError:
        item, = berth.runtime.ListPodSandbox().items
        assert item.id == pod and item.state == 1, item
        refused(lambda: berth.run_pod(name="held"), C.FAILED_PRECONDITION)
    else:
        raise AssertionError("it was removed, and its address is not free")
    finally:
        folder.unlink()
        folder.with_name("away").rename(folder)
        (berth.dir / "net.d" / "10-scenario.conflist").write_text(good, encoding="utf-8")
    berth.remove_pod(pod)
    berth.run_pod(name="held")
