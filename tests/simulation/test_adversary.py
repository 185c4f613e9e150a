"""The adversary at work: whatever happens on the way, the answer is the brute force's.

Each test runs `python -m tests.simulation` in a process of its own, with the one hash seed under which a history can be
repeated. What fails is printed with the command that shows it again. `make faults` runs thousands of histories.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulation.controls import CONTROLS
from tests.simulation.faults import Plan
from tests.simulation.history import Options
from tests.simulation.redis import private_server
from tests.simulation.running import run_seeds
from tests.simulation.worlds import World, race_of_cuts, race_of_own, race_of_scans

ROOT = Path(__file__).parents[2]
# The rarest is caught in about one of 20 seeds (`--control NAME --count 200 --all` tells).
ENOUGH_SEEDS = 200


def simulate(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulation", *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def histories_of(output: str) -> int:
    found = re.search(r"histories=(\d+)", output)
    assert found is not None, output
    return int(found[1])


def test_every_history_ends_at_the_answer_of_the_brute_force() -> None:
    """Some hundred, about a minute on two cores: the same seeds on every machine."""
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda first: simulate("--from", first, "--count", 220), (0, 10**6)))
    for run in runs:
        assert run.returncode == 0, run.stdout + run.stderr
    assert sum(histories_of(run.stdout) for run in runs) >= 40, "too few to say anything: is the machine very busy?"


@pytest.mark.parametrize("race", [race_of_scans, race_of_cuts, race_of_own])
def test_races_end_at_the_answer(race: Callable[[int], World]) -> None:
    """The worlds in which the controls are caught, and nothing turned round."""
    with private_server() as server:
        tally, failures = run_seeds(range(25), server, Options(plan=Plan((), 1, 0), world=race, race=True))
    assert not failures, failures[0].text()
    assert tally.exposures > 50


def test_rebuilds_that_overtake_each_other() -> None:
    """Begun by several at once, killed, with deletions that come late. Without what refuses those (steps/clearing.py)
    the histories 46 and 63 end at another answer."""
    plan = Plan(("rebuild", "rebuild", "rebuild", "crash_before", "lost_later", "move"), 60, 10)
    with private_server() as server:
        _, failures = run_seeds(range(40, 80), server, Options(plan=plan))
    assert not failures, failures[0].text()


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_negative_control_is_caught(name: str) -> None:
    run = simulate("--control", name, "--count", ENOUGH_SEEDS)
    assert run.returncode == 1, f"{name} passed {ENOUGH_SEEDS} histories: the checks are worth nothing\n{run.stderr}"
    assert re.search(r"^seed \d+: .*\n  .*(must|comes after|two contents|raised)", run.stdout, re.MULTILINE), run.stdout


def test_same_seed_same_trace() -> None:
    first, second = simulate(8, "--trace"), simulate(8, "--trace")
    assert first.stdout.count("\n") > 100
    assert first.stdout == second.stdout


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_thousands_of_histories() -> None:
    run = simulate("--from", 0, "--count", 5000, "--all")
    assert run.returncode == 0, run.stdout + run.stderr
