"""The SQL peers of `truyvet bench case --peers` get our scans, find the F1 of their definition, or are not measured."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from console.bench import case, foreign, sql_peers
from console.bench.case import Took
from console.bench.outings import Outings
from console.bench.sql_peers import NAMES, Beside, Job, ask, missing, write_scans
from console.bench.town import Town
from console.main import truyvet

UNTIL = 1_790_000_000
SCANS, CASES = 20_000, 3
DAY = 86_400


@pytest.fixture(scope="module")
def outings() -> Outings:
    return Outings(Town(SCANS, UNTIL), CASES)


@pytest.fixture(scope="module")
def file(outings: Outings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scans") / "scans.csv"
    write_scans(outings, path)
    return path


def _rows(file: Path) -> list[tuple[int, ...]]:
    return [tuple(map(int, line.split(","))) for line in file.read_text().splitlines()]


def test_they_get_the_scans_that_we_get(outings: Outings, file: Path) -> None:
    values = [value for value, _ in outings.town.records()] + list(outings.records())
    sent = [
        (
            int(scan["person"]),
            int(scan["venue_id"].removeprefix("VN-")),
            int(datetime.fromisoformat(scan["scanned_at"]).timestamp()),
            int(scan.get("direction") == "out"),
        )
        for value in values
        for scan in json.loads(value)
    ]
    assert _rows(file) == sent and len(sent) > SCANS


def test_the_job_has_the_figures_of_the_policy(outings: Outings) -> None:
    job = Job.of(outings, CASES)
    assert job[:4] == (30 * 60, 480 * 60, 0, 15 * 60)
    begin, _ = outings.town.stay(0, 0.0, 1.0)
    assert job.window == (begin, begin + 12 * DAY)  # 2 days before the onset, 10 after
    assert job.people == [10_000_000 + 7 * n for n in range(CASES + 1)]


# -- by hand


def _visits(file: Path, job: Job) -> list[tuple[int, int, int, int]]:
    """(person, venue, begin, end), each person's scans walked through in order of time."""
    scans_of: dict[int, list[tuple[int, bool, int]]] = defaultdict(list)
    for person, venue, at, out in _rows(file):
        scans_of[person].append((at, not out, venue))
    found = []
    for person, scans in scans_of.items():
        scans.sort()  # an out before an in of the same second
        entered = None  # the scan before, where it is an in
        last = 0
        for (at, is_in, venue), after in zip(scans, [*scans[1:], None], strict=True):
            if is_in:
                end = at + job.dwell if after is None else min(at + job.dwell, after[0])
                if after is not None and not after[1] and after[2] == venue and after[0] - at <= job.max_stay:
                    end = after[0]
                found.append((person, venue, at, end))
            elif entered is None or entered[1] != venue or at - entered[0] > job.max_stay:
                found.append((person, venue, max(at - job.dwell, last), at))
            entered, last = (at, venue) if is_in else None, at
    return [visit for visit in found if visit[2] < visit[3]]


def _f1(visits: list[tuple[int, int, int, int]], case_: int, job: Job) -> list[int]:
    seconds: dict[int, int] = defaultdict(int)
    start, end = job.window
    own = [
        (v, max(b, start), min(e, end) + job.linger) for p, v, b, e in visits if p == case_ and b < end and e > start
    ]
    for person, venue, begin, until in visits:
        for at, from_, to in own:
            if person != case_ and venue == at:
                seconds[person] += max(0, min(until, to) - max(begin, from_))
    return sorted(person for person, n in seconds.items() if n >= job.least)


@pytest.mark.bench
@pytest.mark.parametrize("linger", [0, 10 * 60])
@pytest.mark.parametrize("name", list(NAMES))
async def test_the_same_f1_as_by_hand(name: str, linger: int, outings: Outings, file: Path) -> None:
    if how := missing().get(name):
        pytest.skip(how)
    job = Job.of(outings, CASES)._replace(linger=linger)
    answered = await ask(name, file, job)
    visits = _visits(file, job)
    assert answered.f1 == [_f1(visits, person, job) for person in job.people]
    assert all(len(people) > 200 for people in answered.f1)
    assert len(answered.ms) == CASES + 1 and answered.disk > 0 and answered.version.startswith(NAMES[name])


# -- the option


PEERS = [
    Beside("PostgreSQL 15.1", 7.25, 33_000_000, [5.0, 6.0, 70.0], [2_990, 3_000, 3_010], 0.004),
    Beside("DuckDB 2.0", 0.5, 3_000_000, [4.0, 4.5, 5.0], [2_400, 2_500, 2_600], 0.2),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Which peers were measured beside us, by something that takes no time."""
    calls: list[list[str]] = []

    async def measure(scans: int, cases: int, _: Any, peers: list[str]) -> case.Result:
        calls.append(peers)
        took = Took(300.0, 3_000, 1.0, 1.0, 1.0)
        ours = case.Result({"cores": 2, "load": 0.5}, scans, 1.0, [took] * cases, took, took, 300)
        return msgspec.structs.replace(ours, besides=PEERS if peers else [])

    monkeypatch.setattr(case, "measure", measure)
    return calls


def test_one_that_answers_something_else_is_told(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_peers, "missing", dict)
    shown = CliRunner().invoke(truyvet, ["bench", "case", "--peers"], catch_exceptions=False)
    assert asked == [["postgres", "duckdb"]]
    row = next(line for line in shown.stdout.splitlines() if "PostgreSQL 15.1" in line)
    assert [word for word in ("6.0", "70.0", "3,000", "0.4%", "33") if word not in row] == []
    assert "DuckDB 2.0: F1 of a case differ from ours by 20.0%" in shown.stderr
    assert "PostgreSQL" not in shown.stderr


def test_those_that_are_not_here_are_named(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "ROOT", tmp_path)
    monkeypatch.setattr(sql_peers, "programs", lambda: None)
    shown = CliRunner().invoke(truyvet, ["bench", "case", "--peers", "--json"], catch_exceptions=False)
    assert asked == [[]] and json.loads(shown.stdout)["besides"] == []
    postgres, duckdb = shown.stderr.splitlines()
    install = "tests/bench/peers/install.sh"
    assert postgres.startswith("PostgreSQL is not installed")
    assert f"{install} python && {install} postgres" in postgres
    assert duckdb.startswith("DuckDB is not installed") and "postgres" not in duckdb


def test_without_the_option_none_is_asked(asked: list[list[str]]) -> None:
    shown = CliRunner().invoke(truyvet, ["bench", "case"], catch_exceptions=False)
    assert asked == [[]] and shown.stderr == "" and "same scans" not in shown.stdout
