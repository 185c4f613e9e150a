"""`deploy/install.sh`: what is missing is named with the one line that brings it; apt is used where it may be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "cat", "dirname", "sed", "head", "tr", "sha256sum", "cut", "rm", "chmod", "mkdir", "mv")
JAVA_17 = "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2"
REDIS_7 = "echo 'Redis server v=7.0.15 sha=0:0'"
PARTS = {"java": JAVA_17, "mvn": "true", "redis-server": REDIS_7}


class Machine:
    """A PATH with nothing on it but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.policy = folder, folder / "policy-rc.d"
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool) or f"/usr/bin/{tool}")
        self.put("python3", f'exec "{sys.executable}" "$@"')
        self.put("id", "echo 1000")

    def put(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def put_all(self, *without: str) -> None:
        for name, script in PARTS.items():
            if name not in without:
                self.put(name, script)

    def install(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "bash"), str(ROOT / "deploy" / "install.sh"), *args],
            env={"PATH": str(self.bin), "TRUYVET_POLICY_RC_D": str(self.policy)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_said_when_all_is_there(machine: Machine) -> None:
    machine.put_all()
    done = machine.install("programs")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


@pytest.mark.parametrize(
    ("missing", "package"), [("java", "openjdk-17-jre-headless"), ("mvn", "maven"), ("redis-server", "redis-server")]
)
def test_a_missing_program_ends_with_the_one_line_to_run(machine: Machine, missing: str, package: str) -> None:
    machine.put_all(missing)
    done = machine.install()  # all steps: it must end before it touches anything
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.endswith(f"Run: sudo apt-get update && sudo apt-get install -y {package}\n")


def test_all_that_is_missing_is_in_one_line(machine: Machine) -> None:
    done = machine.install()
    assert done.returncode == 1
    assert done.stderr.endswith("apt-get install -y openjdk-17-jre-headless maven redis-server\n")


@pytest.mark.parametrize(
    ("name", "script", "package"),
    [
        ("java", "echo 'openjdk version \"11.0.27\" 2025-04-15' >&2", "openjdk-17-jre-headless"),
        ("java", "echo 'java version \"1.8.0_452\"' >&2", "openjdk-17-jre-headless"),
        ("java", "exit 1", "openjdk-17-jre-headless"),
        ("redis-server", "echo 'Redis server v=6.0.16 sha=0:0'", "redis-server"),
        ("python3", "exit 1", "python3 python3-venv"),
    ],
)
def test_too_old_is_as_good_as_missing(machine: Machine, name: str, script: str, package: str) -> None:
    machine.put_all()
    machine.put(name, script)
    done = machine.install("programs")
    assert done.returncode == 1
    assert done.stderr.endswith(f"apt-get install -y {package}\n")


def apt(machine: Machine, *brings: str) -> Path:
    """An apt-get that writes down its calls and puts the programs of `brings` on the PATH."""
    calls = machine.bin / "calls"
    for name in brings:
        (machine.bin / f"{name}.deb").write_text(f"#!/bin/bash\n{PARTS[name]}\n")
        (machine.bin / f"{name}.deb").chmod(0o755)
    unpack = "".join(f'mv "{machine.bin}/{name}.deb" "{machine.bin}/{name}"; ' for name in brings)
    lines = [
        f'echo "$DEBIAN_FRONTEND $*" >>"{calls}"',
        f'"{machine.policy}" 2>/dev/null; echo "services: $?" >>"{calls}"',
        f'if [ "$1" = install ]; then {unpack} true; fi',
    ]
    machine.put("apt-get", "\n".join(lines))
    return calls


def test_root_on_debian_gets_them_from_apt(machine: Machine) -> None:
    machine.put("id", "echo 0")
    calls = apt(machine, "java", "mvn", "redis-server")
    done = machine.install("programs")
    assert done.returncode == 0, done.stderr
    assert calls.read_text().splitlines() == [
        "noninteractive update -q",
        "services: 127",
        "noninteractive install -y --no-install-recommends openjdk-17-jre-headless maven redis-server",
        "services: 101",  # Debian's way to be told: start nothing
    ]
    assert not machine.policy.exists()


def test_a_policy_of_the_machine_is_left_as_it_is(machine: Machine) -> None:
    machine.put("id", "echo 0")
    machine.put("policy-rc.d", "exit 104")
    calls = apt(machine, "java", "mvn", "redis-server")
    assert machine.install("programs").returncode == 0
    assert calls.read_text().splitlines()[-1] == "services: 104"
    assert "exit 104" in machine.policy.read_text()


def test_only_what_is_missing_is_asked_of_apt(machine: Machine) -> None:
    machine.put("id", "echo 0")
    machine.put_all("mvn")
    calls = apt(machine, "mvn")
    assert machine.install("programs").returncode == 0
    assert calls.read_text().splitlines()[-2].endswith("--no-install-recommends maven")


def test_apt_that_does_not_bring_it_ends_with_the_line_too(machine: Machine) -> None:
    machine.put("id", "echo 0")
    machine.put_all("java")
    apt(machine)
    done = machine.install()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("apt-get install -y openjdk-17-jre-headless")


def test_nobody_but_root_calls_apt(machine: Machine) -> None:
    machine.put_all("java")
    calls = apt(machine, "java")
    assert machine.install("programs").returncode == 1
    assert not calls.exists()


def test_wrong_use_ends_with_2(machine: Machine) -> None:
    assert machine.install("everything").returncode == 2
