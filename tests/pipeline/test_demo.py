"""`truyvet demo` without a terminal: from nothing to exposures, twice, on a smaller province than the real one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("TRUYVET_")}
DEMO = (sys.executable, "-m", "console.main", "demo", "--people", "2000", "--venues", "150", "--workers", "2")


def demo(folder: Path) -> str:
    done = subprocess.run(
        DEMO, cwd=folder, env=CLEAN, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def exposures(text: str) -> tuple[str, int]:
    """The case and how many it has; the table says as many as the title, up to twelve."""
    found = re.search(r"^Case (\S+): (\d+) exposures? \((\d+) high, (\d+) medium, (\d+) low\)", text, re.M)
    assert found, text
    case, count, *bands = found[1], *map(int, found.groups()[1:])
    assert sum(bands) == count > 0
    assert len(re.findall(r"^│ p1[a-z2-7]{26} │", text, re.M)) == min(count, 12)
    return case, count


def test_from_nothing_to_exposures_and_on_from_there(tmp_path: Path) -> None:
    first = demo(tmp_path)
    streamed = re.search(r"([\d,]+) scans went through Kafka", first)
    assert streamed, first
    scans = sum(file.read_bytes().count(b"\n") for file in tmp_path.glob(".truyvet/demo/province-*/scans.ndjson"))
    assert int(streamed[1].replace(",", "")) == scans > 2000
    case, _ = exposures(first)
    assert "From the report to the last exposure" in first

    # The day is there already; the next case is reported on it.
    second = demo(tmp_path)
    assert "went through Kafka" not in second and "Simulated" not in second
    assert exposures(second)[0] != case

    assert not [p for p in psutil.process_iter(["cwd"]) if (p.info["cwd"] or "").startswith(str(tmp_path))]
