# SPDX-License-Identifier: Apache-2.0
"""Many pods at once, and calls on one container that exclude each other."""
from concurrent.futures import ThreadPoolExecutor

import grpc

from berth import wait_for


def test_ten_pods_at_once(berth):
    def one(i):
        container = berth.sh(berth.run_pod(name=f"p{i}"), f"echo {i}", name=f"c{i}")
        assert berth.wait_exited(container).exit_code == 0
        assert berth.output(container) == f"{i}\n"

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(one, range(10)))


def test_a_container_starts_once(berth):
    container = berth.create(berth.run_pod(host_network=True), "sleep", "100")

    def start(_):
        try:
            berth.start(container)
            return True
        except grpc.RpcError as e:
            assert e.code() == grpc.StatusCode.UNKNOWN, e
            return False

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(start, range(5))) == 1
    assert berth.state(container) == "CONTAINER_RUNNING"


def test_a_request_whose_client_left_is_finished_and_found_again(berth):
    config = berth.pod_config("left")
    try:
        berth.runtime.RunPodSandbox(config=config, rpc_timeout=0.003)
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.DEADLINE_EXCEEDED, e
    pod = ask_again(berth, config)
    assert [p.id for p in berth.runtime.ListPodSandbox().items] == [pod]


def ask_again(berth, config):
    """The answer may have been on its way when the client left: then the pod is there, under this name."""
    try:
        return berth.runtime.RunPodSandbox(config=config).pod_sandbox_id
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.FAILED_PRECONDITION, e
        pod, = wait_for(lambda: berth.runtime.ListPodSandbox().items, what="the pod")
        return pod.id
