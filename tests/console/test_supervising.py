"""Children that end are started again, slower when they keep ending; the log keeps their reason."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from console.supervising import CALM, LOG_LIMIT, Backoff, Crew, ending, keep_short

SLEEPS = (sys.executable, "-c", "import time; time.sleep(100)")
FAILS = (sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(100)",
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def wait_for(what: object, patience: float = 20.0) -> None:
    until = time.monotonic() + patience
    while not what():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.01)


def test_pauses_double_up_to_half_a_minute_and_begin_again_after_a_calm_time() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert backoff.after(CALM) == 0.5
    assert backoff.after(CALM - 1) == 1


def test_a_child_that_ends_is_started_after_its_pause_and_not_before(tmp_path: Path) -> None:
    clock = Clock()
    crew = Crew("worker", 1, FAILS, tmp_path, clock)
    crew.start(os.environ)
    child = crew.children[0]
    for pause in (0.5, 1.0, 2.0):
        process = child.process
        assert process is not None
        process.wait(20)
        assert crew.look() == [f"worker 1 ended (exit 3); starting it again in {pause:g} s (its log: {child.log})"]
        clock.now += pause - 0.01
        assert crew.look() == [] and child.process is None and crew.pids == []
        clock.now += 0.02
        assert crew.look() == []
        assert child.process is not None and child.process.pid != process.pid
    assert child.ends == 3
    assert child.last_words() == "the reason"
    crew.stop(5)


def test_the_others_are_left_alone(tmp_path: Path) -> None:
    crew = Crew("worker", 2, SLEEPS, tmp_path)
    crew.start(os.environ)
    first, second = crew.pids
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: len(crew.pids) == 1)
    assert crew.look()[0].startswith("worker 1 ended (killed by SIGKILL)")
    assert crew.pids == [second]
    crew.stop(5)
    assert crew.pids == []


def test_who_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    crew = Crew("worker", 1, STUBBORN, tmp_path)
    crew.start(os.environ)
    process = crew.children[0].process
    assert process is not None
    wait_for(lambda: crew.children[0].log.read_bytes())
    crew.stop(0.2)
    assert process.returncode == -signal.SIGKILL


def test_a_paused_child_hears_that_it_shall_end(tmp_path: Path) -> None:
    crew = Crew("worker", 1, SLEEPS, tmp_path)
    crew.start(os.environ)
    process = crew.children[0].process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    crew.stop(20)
    assert process.returncode == -signal.SIGTERM


def test_children_get_the_environment_at_every_start(tmp_path: Path) -> None:
    clock = Clock()
    tells = (sys.executable, "-c", "import os; print(os.environ['TRUYVET_KAFKA'])")
    crew = Crew("worker", 1, tells, tmp_path, clock)
    crew.start({**os.environ, "TRUYVET_KAFKA": "here:1"})
    for _ in range(2):
        process = crew.children[0].process
        assert process is not None
        process.wait(20)
        crew.look()
        clock.now += 100
        crew.look()
    crew.stop(20)
    assert (tmp_path / "worker-1.log").read_text().startswith("here:1\nhere:1\n")


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit 0"), (75, "exit 75"), (-9, "killed by SIGKILL"), (-99, "killed by signal 99")]
)
def test_endings_in_words(code: int, words: str) -> None:
    assert ending(code) == words


def test_a_long_log_makes_room_and_a_short_one_stays(tmp_path: Path) -> None:
    log = tmp_path / "worker-1.log"
    keep_short(log)
    log.write_bytes(b"x")
    keep_short(log)
    assert log.read_bytes() == b"x"
    with log.open("wb") as file:
        file.truncate(LOG_LIMIT + 1)
    keep_short(log)
    assert not log.exists()
    assert (tmp_path / "worker-1.log.1").stat().st_size == LOG_LIMIT + 1
