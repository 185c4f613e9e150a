"""The made-up province: the same seed, the same bytes; every kind of place and flaw; nobody's code."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from console.commands.simulate import write
from console.province.cases import rough_contacts
from console.province.draws import Draws
from console.province.kinds import KINDS
from console.province.province import Plan, Province

SMALL = Plan(people=2_000, venues=150, days=2, seed=7, start=datetime.date(2026, 1, 5), cases=20)
GOLDEN = "3ff726990d2ec86d23ddc9a97dfbded715a289d3e379bb573122cf4588a4dd36"


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for name in ("venues", "scans", "cases"):
        whole.update((folder / f"{name}.ndjson").read_bytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("province")
    write(Province(SMALL), folder)
    return folder


def rows(folder: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (folder / f"{name}.ndjson").read_bytes().splitlines()]


def test_same_seed_gives_the_bytes_written_down_here(small: Path) -> None:
    assert digest(small) == GOLDEN


def test_hash_seed_and_locale_change_nothing(small: Path, tmp_path: Path) -> None:
    """Another process with another hash order, locale and time zone."""
    code = (
        "import datetime, sys; from pathlib import Path; from console.commands.simulate import write;"
        "from console.province.province import Plan, Province;"
        "write(Province(Plan(2000, 150, 2, 7, datetime.date(2026, 1, 5), 20)), Path(sys.argv[1]))"
    )
    env = {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "TZ": "America/New_York", "PATH": ""}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=env, cwd=root, check=True, timeout=60)
    assert digest(tmp_path) == digest(small)


def test_other_seeds_and_days_differ(tmp_path: Path, small: Path) -> None:
    write(Province(Plan(2_000, 150, 2, 8, SMALL.start, 20)), tmp_path)
    assert digest(tmp_path) != digest(small)
    days = [hashlib.sha256(b"".join(lines)).digest() for lines in Province(SMALL).scan_lines()]
    assert len(set(days)) == SMALL.days


def test_a_longer_plan_begins_with_the_same_days() -> None:
    longer = Province(Plan(2_000, 150, 3, 7, SMALL.start, 20))
    short = list(Province(SMALL).scan_lines())
    assert list(longer.scan_lines())[:2] == short


def test_every_kind_of_place_is_visited(small: Path) -> None:
    venues = rows(small, "venues")
    assert {v["type"] for v in venues} == {kind.type for kind in KINDS}
    kind_of = {v["venue_id"]: v["type"] for v in venues}
    visited = Counter(kind_of.get(s["venue_id"]) for s in rows(small, "scans"))
    assert {kind.type for kind in KINDS} <= visited.keys()
    assert visited[None] > 0, "no scan at a place that never registered"


def test_scans_have_their_flaws(small: Path) -> None:
    scans = rows(small, "scans")
    ways = Counter((s.get("direction", "in"), s.get("role", "visitor"), s["mode"]) for s in scans)
    for direction in ("in", "out"):
        for role in ("visitor", "staff"):
            for mode in ("poster", "guard"):
                assert ways[direction, role, mode] > 0, (direction, role, mode)
    directions = Counter(s.get("direction", "in") for s in scans)
    assert 0.5 < directions["out"] / directions["in"] < 0.9, "check-outs are missing, but not too many"
    assert any(s.get("void") for s in scans)
    texts = Counter((small / "scans.ndjson").read_bytes().splitlines())
    assert 0 < sum(n - 1 for n in texts.values()) < len(scans) // 50, "a few come twice, byte for byte"
    assert {type(s["scanned_at"]) for s in scans} == {int, str}


def test_somebody_lends_a_card(small: Path) -> None:
    per_day = Counter((s["person"], s["scan_id"][:10]) for s in rows(small, "scans"))
    assert sum(n > 60 for n in per_day.values()) == SMALL.days


def test_all_codes_are_impossible_ones_and_all_forms_of_rule_2_occur(small: Path) -> None:
    people = {s["person"] for s in rows(small, "scans")} | {c["person"] for c in rows(small, "cases")}
    for code in people:
        assert re.search(r"999\d{9}", code), "an identity number without the impossible start"
        for name in re.findall(r"\|([^|\d]*[A-Z]{3}[^|]*)\|", code):
            assert name.startswith(("NGUOI MO PHONG ", "Thon Gia Dinh, Xa Mo Phong")), name
    assert any(code.count("|") == 5 for code in people), "national QR"
    assert any(re.fullmatch(r"\d{12}", code) for code in people), "identity number alone"
    assert any(code.count("|") == 6 for code in people), "identity card"
    assert any(re.fullmatch(r"ZZ\d{13}", code) for code in people), "insurance number alone"


def test_scans_are_of_their_days_and_cases_know_somebody(small: Path) -> None:
    begin = datetime.datetime(2026, 1, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=7))).timestamp()
    for scan in rows(small, "scans"):
        at = scan["scanned_at"]
        second = at / 1000 if isinstance(at, int) else datetime.datetime.fromisoformat(at).timestamp()
        assert begin <= second < begin + SMALL.days * 86_400
    cases = rows(small, "cases")
    assert len({c["case_id"] for c in cases}) == len({c["person"] for c in cases}) == SMALL.cases
    seen = {s["person"] for s in rows(small, "scans")}
    assert sum(c["person"] in seen for c in cases) >= SMALL.cases * 3 // 4
    assert sum("onset_at" in c for c in cases) >= 10 and any("onset_at" not in c for c in cases)


def test_nobody_is_in_two_places_by_plan() -> None:
    stays = Province(SMALL).stays(SMALL.first_day)
    same = stays.person[1:] == stays.person[:-1]
    assert len(stays.person) > SMALL.people
    assert not (same & (stays.start[1:] < stays.end[:-1])).any()
    assert (stays.end > stays.start).all()


def test_the_first_case_met_enough_people_to_look_at() -> None:
    province = Province(Plan(20_000, 1_200, 1, 11042, SMALL.start, 5))
    first = json.loads(province.case_lines()[0])["person"]
    person = [codes[0] for codes in province.people.codes].index(first)
    assert 30 <= rough_contacts(province.stays(province.plan.first_day), person) <= 100


def test_a_province_day_is_big_and_takes_seconds(tmp_path: Path) -> None:
    began = time.process_time()
    counts = write(Province(Plan(20_000, 1_200, 1, 11042, SMALL.start, 5)), tmp_path)
    assert counts["scans"] >= 100_000
    assert time.process_time() - began < 10
    weekend = Province(Plan(20_000, 1_200, 1, 11042, datetime.date(2026, 1, 11), 5))
    assert sum(len(lines) for lines in weekend.scan_lines()) >= 80_000


def test_draws_are_even_and_within_bounds() -> None:
    draws = Draws(1, 2, 3)
    tens = np.bincount(draws.below(10, 100_000), minlength=10)
    assert len(tens) == 10 and (abs(tens - 10_000) < 600).all()
    mixed = draws.below(np.array([1, 5] * 1000), 2000)
    assert (mixed[::2] == 0).all() and set(mixed[1::2].tolist()) == {0, 1, 2, 3, 4}
    assert sorted(draws.shuffled(1000).tolist()) == list(range(1000))
    bell = draws.bell(10, 40, 10_000)
    assert bell.min() >= 10 and bell.max() <= 40 and 24 < bell.mean() < 26
    assert set(draws.weighted(np.array([0, 3, 0, 1]), 1000).tolist()) == {1, 3}
    assert (draws.below(2**31, 10) != Draws(1, 2, 4).below(2**31, 10)).any()
