# SPDX-License-Identifier: Apache-2.0
"""The load: pods of every kind, and what is checked of them while others kill around them."""
import os
import traceback

import grpc

from client import Broken, Client, Code, check_numbered, container_config

LINES = 200


def play(world, random, number, life):
    """Lives one life after the other until the world ends."""
    client = Client(world)
    turn = 0
    try:
        while not world.stop.is_set():
            life(client, random, f"p{number}t{turn}")
            turn += 1
            world.count(life.__name__)
    except (Broken, grpc.RpcError):
        world.found(f"player {number}, turn {turn}: " + traceback.format_exc(limit=-4))
    finally:
        client.close()


def pod_config(client, random, name):
    config = client.berth.pod_config(name, host_network=random.random() < 0.4)
    namespaces = config["linux"]["security_context"]["namespace_options"]
    if random.random() < 0.3:
        namespaces["pid"] = "POD"
    if random.random() < 0.3:
        ids = [{"container_id": 0, "host_id": random.randrange(1, 1000) * 65536, "length": 65536}]
        namespaces["userns_options"] = {"mode": "POD", "uids": ids, "gids": ids}
    return config


def own_namespaces(config):
    """What a container says of them too."""
    options = config["linux"]["security_context"]["namespace_options"]
    return {"linux": {"security_context": {"namespace_options": {
        key: value for key, value in options.items() if key != "network"}}}}


def log_path(client, config, container):
    path = client.status(container).log_path
    if path != os.path.join(config["log_directory"], os.path.basename(path)):
        raise Broken(f"the log of {container} is {path}")
    return path


def churn(client, random, name):
    """A short pod: containers that end, that are stopped, that never start; execs; and all goes."""
    world, config = client.world, pod_config(client, random, name)
    pod = client.run_pod(config)
    for i in range(random.randint(1, 3)):
        kind = random.choice([ends_by_itself, is_stopped, never_starts])
        if not kind(client, random, (pod, config), f"{name}c{i}"):
            break
        world.count(kind.__name__)
    if not world.is_doomed(pod) and not client.is_ready(pod) and not world.is_doomed(pod):
        raise Broken(f"pod {pod} lives and is not ready")
    if random.random() < 0.2:
        client.until_done("RemovePodSandbox", pod_sandbox_id=pod)
    client.remove_pod(pod)


def create(client, where, name, script):
    pod, config = where
    return client.create(pod, config, container_config(name, script, **own_namespaces(config)))


def ends_by_itself(client, random, where, name):
    count, code = random.randint(0, LINES), random.randint(0, 3)
    container = create(client, where, name,
                       f"i=0; while [ $i -lt {count} ]; do echo line $i; i=$((i+1)); done; exit {code}")
    if not container or not client.start(where[0], container):
        return False
    status = client.wait_exited(container)
    path = log_path(client, where[1], container)
    if not client.world.is_doomed(where[0]):
        if status.exit_code != code or not status.started_at or status.finished_at < status.started_at:
            raise Broken(f"it ended with {code}, and its status is {status}")
        check_numbered(path, count)
    if random.random() < 0.5:
        client.remove_container(container)
    return True


def is_stopped(client, random, where, name):
    script = "trap 'exit 0' TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"
    container = create(client, where, name, script)
    if not container or not client.start(where[0], container):
        return False
    for _ in range(random.randint(0, 3)):
        if not exec_in(client, where[0], container):
            return False
    client.until_done("StopContainer", container_id=container, timeout=random.choice([0, 0, 1, 5]))
    status = client.status(container)
    if status.state != 2:
        raise Broken(f"it was stopped, and its status is {status}")
    if not client.world.is_doomed(where[0]):
        check_numbered(log_path(client, where[1], container))
    if random.random() < 0.5:
        client.remove_container(container)
    return True


def never_starts(client, random, where, name):
    container = create(client, where, name, "true")
    if not container:
        return False
    if client.status(container).state != 0:
        raise Broken(f"nobody started it, and its status is {client.status(container)}")
    if random.random() < 0.5:
        client.remove_container(container)
    return True


def exec_in(client, pod, container):
    """One exec, which a killed berthd may cut off; then it is as if nobody had asked. False: the pod has ended."""
    try:
        answer = client.runtime.ExecSync(container_id=container, cmd=["echo", "hi"], timeout=20, rpc_timeout=30)
    except grpc.RpcError as e:
        if client.world.is_doomed(pod):
            return False
        if e.code() not in (Code.UNAVAILABLE, Code.CANCELLED):
            raise Broken(f"ExecSync in a living container: {e}") from e
        client.reconnect()
        return True
    if (answer.exit_code, answer.stdout) != (0, b"hi\n"):
        if not client.world.is_doomed(pod):
            raise Broken(f"ExecSync answers {answer}")
    return True


def steady(client, random, name):
    """One pod that lives as long as the world, or until its shim is killed."""
    world, config = client.world, pod_config(client, random, name)
    pod = client.run_pod(config)
    ip = client.call("PodSandboxStatus", pod_sandbox_id=pod).status.network.ip
    where = (pod, config)
    container = create(client, where, name + "log", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02; done")
    started = container and client.start(pod, container)
    while started and not world.stop.is_set() and not world.is_doomed(pod):
        state, ready = client.status(container).state, client.is_ready(pod)
        if (state, ready) != (1, True) and not world.is_doomed(pod):
            raise Broken(f"pod {pod} lives; its container's state is {state}, and ready is {ready}")
        if client.call("PodSandboxStatus", pod_sandbox_id=pod).status.network.ip != ip and not world.is_doomed(pod):
            raise Broken(f"pod {pod} had the address {ip}")
        if not exec_in(client, pod, container):
            break
        world.stop.wait(0.1)
    if container and world.is_doomed(pod):
        ends_with_its_shim(client, pod, container)
    elif container:
        client.until_done("StopContainer", container_id=container, timeout=0)
        check_numbered(log_path(client, config, container))
    client.remove_pod(pod)


def ends_with_its_shim(client, pod, container):
    status = client.status(container)
    if status.state == 0:
        return
    status = client.wait_exited(container)
    if status.exit_code not in (128, 137):
        raise Broken(f"its shim was killed, and its status is {status}")
    for _ in range(100):
        if not client.is_ready(pod):
            return
        client.world.stop.wait(0.05)
    raise Broken(f"the shim of {pod} was killed, and the pod is ready")
