"""What `truyvet up` has done once a day, whatever it is stopped and started."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from console import daily
from console.daily import CALM, Daily

MORNING = 1_770_000_000 // 86_400 * 86_400 - 4 * 3_600  # 20:00 UTC: three in the morning here


class House:
    """Jobs that write their name down; `fails` ends with 1."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now, self.said = folder, float(MORNING), list[str]()
        (folder / "console").mkdir()
        (folder / "console/__init__.py").touch()
        (folder / "console/main.py").write_text(
            "import pathlib, sys\n"
            "pathlib.Path('done').open('a').write(' '.join(sys.argv[1:3]) + chr(10))\n"
            "sys.exit(pathlib.Path('fails').exists())\n"
        )
        monkeypatch.chdir(folder)
        self.begin()

    def begin(self) -> None:
        environment = {"PYTHONPATH": str(self.folder)}
        self.daily = Daily(self.folder / "daily", self.folder / "log", environment, self.said.append, lambda: self.now)

    def look(self) -> list[str]:
        """Look until nothing runs; what was run since."""
        (self.folder / "done").write_text("")
        self.daily.look()
        until = time.monotonic() + 20
        while self.daily._running is not None and time.monotonic() < until:
            time.sleep(0.01)
            self.daily.look()
        return (self.folder / "done").read_text().splitlines()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


BOTH = ["vault sweep", "audit anchor"]


def test_once_a_day_over_starts(house: House) -> None:
    assert house.look() == []  # just started
    house.now += CALM
    assert house.look() == BOTH
    assert house.look() == []
    house.begin()
    house.now += CALM
    assert house.look() == []
    house.now += 20 * 3_600  # eleven at night
    assert house.look() == []
    house.now += 3 * 3_600  # two
    assert house.look() == []
    house.now += 3_600
    assert house.look() == BOTH


def test_what_fails_is_said_and_done_again(house: House) -> None:
    (house.folder / "fails").touch()
    house.now += CALM
    assert house.look() == BOTH
    assert len(house.said) == 2 and "`truyvet vault sweep` ended (exit 1)" in house.said[0]
    assert house.look() == []
    (house.folder / "fails").unlink()
    house.begin()
    house.now += CALM
    assert house.look() == BOTH
    assert len(house.said) == 2


def test_the_jobs_are_commands() -> None:
    import subprocess

    for job in daily.JOBS:
        found = subprocess.run([sys.executable, "-m", "console.main", *job[:2], "--help"], capture_output=True)
        assert found.returncode == 0
