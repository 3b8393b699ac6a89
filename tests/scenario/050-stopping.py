# SPDX-License-Identifier: Apache-2.0
"""StopContainer: the signal that asks, once; the timeout; the kill; what is idempotent."""
import time

from berth import SOON, wait_for


def test_the_signal_is_term_and_a_program_may_heed_it(berth):
    container = berth.sh(berth.run_pod(), "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 0.05; done")
    wait_for(lambda: berth.output(container), what="up")
    berth.stop(container, timeout=1000)
    assert berth.status(container).exit_code == 4
    assert berth.output(container) == "up\nbye\n"


def test_the_signal_of_the_request_is_used(berth):
    container = berth.sh(berth.run_pod(), "trap 'exit 5' USR1; echo up; while :; do sleep 0.05; done",
                         stop_signal="SIGNAL_SIGUSR1")
    wait_for(lambda: berth.output(container), what="up")
    berth.stop(container, timeout=1000)
    assert berth.status(container).exit_code == 5


def test_who_does_not_heed_is_killed_after_the_timeout(berth):
    container = berth.sh(berth.run_pod(), "trap '' TERM; echo up; while :; do sleep 0.05; done")
    wait_for(lambda: berth.output(container), what="up")
    start = time.monotonic()
    berth.stop(container, timeout=1)
    assert 0.9 < time.monotonic() - start < SOON
    assert berth.status(container).exit_code == 137


def test_timeout_zero_kills_at_once_and_all_is_idempotent(berth):
    pod = berth.run_pod()
    container = berth.sh(pod, "trap '' TERM; sleep 100")
    berth.stop(container)
    berth.stop(container)
    created = berth.create(pod, "true")
    berth.stop(created)
    assert berth.state(created) == "CONTAINER_CREATED"
    berth.stop("e" * 64)
    berth.remove("e" * 64)
    berth.remove(container)
    berth.remove(container)
    berth.remove_pod("e" * 64)
    berth.remove_pod(pod)
    berth.remove_pod(pod)
