# SPDX-License-Identifier: Apache-2.0
"""berthd says what is wrong with its configuration, and does not start beside another berthd."""
import subprocess

from berth import PATIENCE, program

STARTED = False


def say(berth, text, *more):
    file = berth.dir / "config.yaml"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([program("berthd"), "--config", str(file), *more], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    return done.returncode, done.stderr


def test_an_unknown_key_is_named_with_its_line(berth):
    code, words = say(berth, "log_level: info\nrot: /x\n")
    assert code == 2 and 'line 2: unknown key "rot"' in words, words


def test_a_missing_file_is_named(berth):
    done = subprocess.run([program("berthd"), "--config", "/no/such/file"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "/no/such/file" in done.stderr, done.stderr


def test_a_default_runtime_must_be_one_of_the_runtimes(berth):
    code, words = say(berth, "default_runtime: kata\n", "--check")
    assert code == 2 and '"kata"' in words, words
    code, words = say(berth, "image: {offline_dir: images}\n", "--check")
    assert code == 2 and "image.offline_dir must be an absolute path" in words, words
    code, words = say(berth, "runtimes: {crun: {path: /usr/bin/crun, exec: never}}\n", "--check")
    assert code == 2 and 'exec "never" of runtime crun is neither auto nor runtime' in words, words


def test_two_daemons_on_one_folder(berth):
    berth.start_daemon()
    text = (berth.dir / "config.yaml").read_text(encoding="utf-8")
    code, words = say(berth, text)
    assert code == 1 and "another berthd" in words, words
    berth.run_pod(host_network=True)  # the first one goes on
