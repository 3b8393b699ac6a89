# SPDX-License-Identifier: Apache-2.0
"""What a container waits for, so that a test says when it goes on, and not the clock."""


class Gate:
    """berth.sh(pod, f"echo before; {gate.wait}; echo behind", mounts=[gate.mount]), then gate.open()."""
    wait = "until [ -e /gate/open ]; do sleep 0.02; done"

    def __init__(self, berth):
        self.folder = berth.dir / berth.name("gate")
        self.folder.mkdir()
        self.mount = {"container_path": "/gate", "host_path": str(self.folder)}

    def open(self):
        (self.folder / "open").touch()


class GatedNetwork(Gate):
    """A CNI plugin at the end of the list, whose ADD waits for open(). log has a line for each time it runs."""

    def __init__(self, berth):
        super().__init__(berth)
        self.log = self.folder / "log"
        plugin = self.folder / "gated"
        plugin.write_text(f"""#!/bin/sh
conf=$(cat)
echo "$CNI_COMMAND" >> {self.log}
[ "$CNI_COMMAND" = ADD ] || exit 0
until [ -e {self.folder}/open ]; do sleep 0.05; done
echo "$conf" | /usr/bin/python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)["prevResult"]))'
""", encoding="utf-8")
        plugin.chmod(0o755)
        berth.config["cni"]["bin_dirs"].append(str(self.folder))
        berth.write_network({"type": "gated"})
        berth.restart()
