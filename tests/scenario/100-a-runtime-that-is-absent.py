# SPDX-License-Identifier: Apache-2.0
"""A runtime handler whose program is not installed fails at start, by its name."""
import grpc

CONFIG = {"default_runtime": "ghost", "runtimes": {"ghost": {"path": "/no/such/runtime"}}}


def test_the_start_names_the_program(berth):
    pod = berth.run_pod(host_network=True)
    container = berth.create(pod, "true")
    try:
        berth.start(container)
    except grpc.RpcError as e:
        assert "/no/such/runtime" in e.details(), e
    assert berth.status(container).reason == "StartError"
