"""requirements.lock holds exactly what pyproject.toml asks for, with everything that comes along."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; (.*?))?(?: \\)?$", re.MULTILINE)


def locked() -> dict[str, str]:
    """Package → version, of those lines that hold for this platform."""
    found = {}
    for name, version, marker in PINNED.findall((ROOT / "requirements.lock").read_text()):
        if not marker or Requirement(f"x; {marker}").marker.evaluate():
            found[canonicalize_name(name)] = version
    return found


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    texts = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    return [Requirement(text) for text in texts]


def test_everything_asked_for_is_locked() -> None:
    lock = locked()
    for requirement in asked_for():
        version = lock.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(version), (
            f"requirements.lock has {requirement.name} {version}: `make lock`"
        )


def test_what_comes_along_is_locked_too_and_nothing_else() -> None:
    lock, seen = locked(), set()
    waiting = [(requirement, "pyproject.toml") for requirement in asked_for()]
    while waiting:
        requirement, wanted_by = waiting.pop()
        name = canonicalize_name(requirement.name)
        assert name in lock, f"{name} (for {wanted_by}) is not in requirements.lock: run `make lock`"
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        for text in metadata.requires(name) or ():
            more = Requirement(text)
            extras = [{"extra": extra} for extra in (requirement.extras or {""})]
            if more.marker is None or any(more.marker.evaluate(environment) for environment in extras):
                waiting.append((more, name))
    assert {name for name, _ in seen} == set(lock)


def test_this_environment_is_the_locked_one() -> None:
    for name, version in locked().items():
        assert metadata.version(name) == version, f"{name} differs from requirements.lock: run `make install`"


def test_every_package_is_pinned_with_digests() -> None:
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=\S)", text)[1:]
    assert len(blocks) > 40
    for block in blocks:
        assert PINNED.match(block.splitlines()[0]), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]
