# SPDX-License-Identifier: Apache-2.0
"""hostUsers: false, with what the kubelet sends along: restricted, and privileged."""
from userns import FIRST, HANDLERS, Pod, mapping

RESTRICTED = {
    "run_as_user": {"value": 1000}, "run_as_group": {"value": 1000}, "supplemental_groups": [2000],
    "readonly_rootfs": True, "no_new_privs": True, "seccomp": {"profile_type": "RuntimeDefault"},
    "capabilities": {"drop_capabilities": ["ALL"]},
    "masked_paths": ["/proc/keys", "/proc/timer_list", "/sys/firmware"],
    "readonly_paths": ["/proc/sys", "/proc/bus", "/proc/sysrq-trigger"],
}


def test_a_restricted_container(berth):
    token, ended, hosts = berth.dir / "token", berth.dir / "ended", berth.dir / "hosts"
    token.mkdir(mode=0o755)
    for file, text in ((token / "t", "tok\n"), (ended, ""), (hosts, "127.0.0.1 me\n")):
        file.write_text(text, encoding="utf-8")
        file.chmod(0o666)
    ids = {"uidMappings": mapping(), "gidMappings": mapping()}
    mounts = [{"container_path": "/var/run/secrets", "host_path": str(token), "readonly": True, **ids},
              {"container_path": "/dev/termination-log", "host_path": str(ended), **ids},
              {"container_path": "/etc/hosts", "host_path": str(hosts), **ids}]
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        words = pod.output("id -u; id -G; cat /var/run/secrets/t; grep me /etc/hosts; echo bye > /dev/termination-log;"
                           " grep -E 'CapBnd|Seccomp:|NoNewPrivs' /proc/self/status | cut -f 2; touch /x;"
                           " echo 1 > /proc/sys/kernel/shm_rmid_forced; wc -c < /proc/timer_list",
                           security=RESTRICTED, mounts=mounts)
        for line in ("1000", "1000 2000", "tok", "127.0.0.1 me", "0" * 16, "1", "2", "0"):
            assert line in words.splitlines(), (line, words)
        assert words.count("Read-only") == 2 and ended.read_text(encoding="utf-8") == "bye\n", words
        ended.write_text("", encoding="utf-8")


def test_a_privileged_container_owns_its_pod_and_no_more(berth):
    for handler in HANDLERS:
        pod = Pod(berth, handler)
        pod.linux["security_context"]["privileged"] = True
        pod.id = berth.run_pod(handler=handler, linux=pod.linux)
        words = pod.output("mount -t tmpfs x /tmp && echo mounted; hostname mine && hostname;"
                           " echo 5 > /proc/sys/net/ipv4/ip_default_ttl && echo set; cat /proc/self/uid_map;"
                           " echo 1 > /proc/sys/vm/drop_caches || mknod /null c 1 3 || echo kept", security={})
        assert words.splitlines()[:3] == ["mounted", "mine", "set"] and "kept" in words, words
        assert str(FIRST) in words, words
