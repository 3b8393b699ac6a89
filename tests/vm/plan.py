# SPDX-License-Identifier: Apache-2.0
"""What is run in the virtual machine: passes, each one run of tests/scenario/run."""

# What touches cgroups, units and profiles; emulation is too slow for everything each time.
TOUCHING = ("010-", "050-", "070-", "080-", "110-", "300-", "310-", "350-")
FEW = ("010-", "080-", "110-", "140-", "310-")


def scenarios(driver, runtime, words, folder="tests/scenario"):
    return {"name": f"{driver}, {runtime}", "command": ["tests/scenario/run", "--in", folder, *words],
            "env": {"BERTH_SCENARIO_DRIVER": driver, "BERTH_SCENARIO_RUNTIME": runtime}}


def reboot(driver):
    def half(which):
        return {"name": f"reboot: {which}", "command": ["tests/vm/reboot", which], "env": {"BERTH_SCENARIO_DRIVER": driver}}

    return [half("before"), {"reboot": True}, half("after")]


def passes(words, everything, only):
    def choose(usual):
        return words or (() if everything else usual)

    listed = [scenarios("systemd", "crun", choose(TOUCHING)), scenarios("cgroupfs", "crun", choose(TOUCHING)),
              scenarios("systemd", "runc", choose(FEW)), scenarios("cgroupfs", "runc", choose(FEW))]
    for driver, runtime in (("systemd", "crun"), ("cgroupfs", "runc")):
        listed.append({**scenarios(driver, runtime, words, "tests/vm/scenario"), "name": f"node: {driver}, {runtime}"})
    chosen = [each for each in listed if only in each["name"]]
    return chosen + (reboot("systemd") if only in "reboot" and not words else [])
