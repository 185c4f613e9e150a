"""What `truyvet bench` prints and writes of a result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from console.bench import case, counters, flagged, foreign, graph, ingest, rebuild, workers
from console.bench.case import Took
from console.bench.ingest import LINES, PEERS, Line, Result, Run
from console.bench.results import quantile
from console.commands.bench import BENCHES
from console.main import truyvet


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The (scans, runs) that were measured, by something that takes no time."""
    calls = []

    async def measure(scans: int, runs: int, tell: Any, *, lines: Sequence[Line]) -> Result:
        calls.append((scans, runs))
        found = [Run(line.title, 10, 1000.0 * (i + 1), 1.5, 2.5, 0.5, 30.0) for i, line in enumerate(lines)]
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


def test_peers_that_are_here_are_measured_and_the_others_named(
    asked: list[tuple[int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "ROOT", tmp_path)
    (tmp_path / ".peers/venv").mkdir(parents=True)
    (tmp_path / ".peers/venv/.installed").touch()
    shown = CliRunner().invoke(truyvet, ["bench", "ingest", "--peers", "--json"], catch_exceptions=False)
    assert "kafka_streams is not installed" in shown.stderr and "tests/bench/peers/install.sh streams" in shown.stderr
    rows = json.loads(shown.stdout)["rows"]
    assert [line.title in rows for line in PEERS] == [False, False, True, True]
    assert rows[PEERS[2].title]["of_ours"] == 7.0


MACHINE = {"cores": 2, "load": 1.5}
HUNDRED = [Took(float(ms), 3_000, 100.0, 20.0, 5.0) for ms in range(1, 101)]
ANSWERS = {
    "case": case.Result(MACHINE, 20_000, 1.0, HUNDRED, Took(170.0, 5_100, 1, 1, 1), Took(90.0, 3_000, 1, 1, 1), 321),
    "flagged": flagged.Result(MACHINE, 1, 50, 500, 499.0, [float(ms) for ms in range(1, 101)], {"worker": 5.0}, 10.0),
    "graph": graph.Result(MACHINE, 10_000, 100, 30.25, 16.5, 13.5, 33.0),
    "counters": counters.Result(MACHINE, 5_000, 9, 3.5, [0.21, 0.25, 0.4], [0.02, 0.03, 0.04], [0.3, 0.4, 0.45]),
    "rebuild": rebuild.Result(MACHINE, 2_000, 1_999, 64.0, rebuild.Run(4, 500, 90), rebuild.Run(2, 1_000, 80)),
    "workers": workers.Result(MACHINE, 1_000, [workers.Run(n, 1_000.0 * n, 8.5, 6.0, 1.0) for n in (1, 2, 4)]),
}
MODULES = {"case": case, "flagged": flagged, "graph": graph, "counters": counters}
MODULES |= {"rebuild": rebuild, "workers": workers}


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the others were measured, by something that takes no time."""
    calls: list[str] = []

    def answer(name: str) -> Any:
        async def measure(*_: Any) -> Any:
            calls.append(name)
            return ANSWERS[name]

        return measure

    for name, module in MODULES.items():
        monkeypatch.setattr(module, "measure", answer(name))
    return calls


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("case", ["50", "95", "3,000", "170", "5,100", "321"]),
        ("flagged", ["50 ms", "99 ms", "50%"]),
        ("graph", ["30.2"]),
        ("counters", ["25%", "40%", "1.90 s", "3.5 s"]),
        ("rebuild", ["1,000", "2.00", "80"]),
        ("workers", ["4,000", "4.00", "8.5"]),
    ],
)
def test_tables_of_the_others(others: list[str], name: str, words: list[str]) -> None:
    shown = CliRunner().invoke(truyvet, ["bench", name], catch_exceptions=False)
    assert shown.exit_code == 0 and others == [name]
    assert [word for word in words if word not in shown.output] == []


@pytest.mark.parametrize("name", list(ANSWERS))
def test_json_of_the_others(others: list[str], name: str, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    shown = CliRunner().invoke(truyvet, ["bench", name, "--json", "--out", str(out)], catch_exceptions=False)
    assert json.loads(out.read_text()) == json.loads(shown.output)


def test_quantiles() -> None:
    assert [quantile(range(1, 101), share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert quantile([7.0], 0.99) == 7.0


def test_without_a_name_all_are_run(asked: list[tuple[int, int]], others: list[str]) -> None:
    """Nothing here may measure: a part that is not replaced above took minutes of `make test`, unseen."""
    assert set(ANSWERS) | {"ingest"} == set(BENCHES)
    shown = CliRunner().invoke(truyvet, ["bench"], catch_exceptions=False)
    assert shown.exit_code == 0 and asked == [(300_000, 3)] and sorted(others) == sorted(ANSWERS)
