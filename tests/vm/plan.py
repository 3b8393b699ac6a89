# SPDX-License-Identifier: Apache-2.0
"""What is run in the virtual machine: passes, each one command there. Emulation is too slow for everything
each time; what touches cgroups, units, profiles and the node's mounts is run, and most of it as most nodes are set up."""

TOUCHING = ("010-", "050-", "070-", "080-", "110-", "300-", "310-", "350-", "user-namespace")
FEW = ("010-", "080-", "110-", "310-")
DRIVERS, RUNTIMES = ("systemd", "cgroupfs"), ("crun", "runc")


def scenarios(driver, runtime, words, folder="tests/scenario"):
    kind = "node" if folder.startswith("tests/vm") else "pods"
    return {"name": f"{kind}: {driver}, {runtime}", "command": ["tests/scenario/run", "--in", folder, *words],
            "env": {"BERTH_SCENARIO_DRIVER": driver, "BERTH_SCENARIO_RUNTIME": runtime}}


def reboot(driver):
    def half(which):
        return {"name": f"reboot: {which}", "command": ["tests/vm/reboot", which], "env": {"BERTH_SCENARIO_DRIVER": driver}}

    return [half("before"), {"reboot": True}, half("after")]


def passes(words, everything, only):
    if words or everything:
        pairs = [(driver, runtime) for driver in DRIVERS for runtime in RUNTIMES]
        listed = [scenarios(*pair, words, folder) for folder in ("tests/scenario", "tests/vm/scenario") for pair in pairs]
    else:
        listed = [scenarios("systemd", "crun", TOUCHING), scenarios("systemd", "runc", (*FEW, "140-")),
                  scenarios("cgroupfs", "crun", FEW), scenarios("systemd", "crun", (), "tests/vm/scenario")]
    chosen = [each for each in listed if only in each["name"]]
    return chosen + (reboot("systemd") if only in "reboot" and not words else [])


def critest(regex):
    return [{"name": "critest: systemd, crun", "command": ["tests/vm/critest", regex],
             "env": {"BERTH_SCENARIO_DRIVER": "systemd"}}]
