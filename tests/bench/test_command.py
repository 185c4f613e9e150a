"""What `truyvet bench` prints and writes of a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from console.bench import ingest
from console.bench.ingest import LINES, Result, Run
from console.main import truyvet


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The (scans, runs) that were measured, by something that takes no time."""
    calls = []

    async def measure(scans: int, runs: int, tell: Any) -> Result:
        calls.append((scans, runs))
        found = [Run(line.title, 10, 1000.0 * (i + 1), 1.5, 2.5, 0.5, 30.0) for i, line in enumerate(LINES)]
        return Result({"cores": 2}, scans, ingest._rows(found), found)

    monkeypatch.setattr(ingest, "measure", measure)
    return calls


def test_a_table_with_ratios(asked: list[tuple[int, int]]) -> None:
    shown = CliRunner().invoke(truyvet, ["bench", "ingest", "--scans", "20000", "--runs", "2"], catch_exceptions=False)
    assert asked == [(20_000, 2)]
    row = next(line for line in shown.output.splitlines() if LINES[0].title in line)
    assert "1,000" in row and "0.50" in row and "2.50" in row


def test_json_to_a_file(asked: list[tuple[int, int]], tmp_path: Path) -> None:
    out = tmp_path / "new" / "ingest.json"
    shown = CliRunner().invoke(truyvet, ["bench", "ingest", "--json", "--out", str(out)], catch_exceptions=False)
    written = json.loads(out.read_text())
    assert written == json.loads(shown.output)
    assert written["rows"][LINES[2].title]["of_bare"] == 0.75 and len(written["runs"]) == len(LINES)


def test_without_a_name_all_are_run(asked: list[tuple[int, int]]) -> None:
    shown = CliRunner().invoke(truyvet, ["bench"], catch_exceptions=False)
    assert shown.exit_code == 0 and asked == [(300_000, 3)]
