"""Rule 9: which policy holds, and what a policy file must have."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streams.rules import policy as module
from streams.rules.days import day_number
from streams.rules.policy import (
    Policies,
    PolicyConflict,
    PolicyError,
    VenueType,
    load_policies,
    policy_of_json,
)

BUILT_IN = Path(module.__file__).parent / "policies" / "vn-11042.toml"
BASE = load_policies().of_day(0)


def parsed() -> dict[str, Any]:
    return tomllib.loads(BUILT_IN.read_text("utf-8"))


def as_json(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode()


def test_the_built_in_policy() -> None:
    assert (BASE.id, BASE.in_force_from) == ("vn-11042", date(2021, 12, 29))
    assert (BASE.clock_tolerance, BASE.retention_days, BASE.conflict_seconds, BASE.shared_code_limit) == (
        300,
        21,
        60,
        60,
    )
    assert (BASE.before_days, BASE.after_days) == (2, 10)
    assert (BASE.min_minutes, BASE.within_hours, BASE.latency_hours) == (15, 24, 0)
    assert (BASE.crowd_limit, BASE.approval_above, BASE.publish_f2) == (500, 1000, False)
    assert (BASE.staff_dwell, BASE.staff_max_stay) == (480 * 60, 840 * 60)
    assert (BASE.cluster_cases, BASE.cluster_days) == (3, 7)
    assert len(BASE.venue) == 18
    assert BASE.venue_type("vehicle") == VenueType(90, 720, 0, Fraction(3, 2))
    assert BASE.venue_type("never heard of") == BASE.venue["other"]
    assert [BASE.infectiousness_on(day) for day in (-3, -2, 5, 6)] == [Fraction(n, 10) for n in (2, 6, 3, 2)]
    assert (BASE.band_high, BASE.band_medium) == (60, 20)
    assert (BASE.follow_up, BASE.follow_up_vaccinated, BASE.test_on) == (14, 7, 5)


def test_json_and_toml_say_the_same() -> None:
    assert policy_of_json(as_json(parsed())) == BASE


def _put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        *tables, last = path.split(".")
        for table in tables:
            data = data[table]
        if value is ...:
            del data[last]
        else:
            data[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("id", "", "id"),
        ("id", " x", "id"),
        ("id", ..., "id"),
        ("in_force_from", "29/12/2021", "in_force_from"),
        ("source", 1, "source"),
        ("scan", ..., "scan"),
        ("scan", 3, "scan"),
        ("scan.clock_tolerance", ..., "scan.clock_tolerance"),
        ("scan.clock_tolerance", "300", "scan.clock_tolerance"),
        ("scan.clock_tolerance", 300.5, "scan.clock_tolerance"),
        ("scan.clock_tolerance", True, "scan.clock_tolerance"),
        ("scan.retention_days", -1, "scan.retention_days"),
        ("contact.publish_f2", 0, "contact.publish_f2"),
        ("contact.min_minutes", 0, "contact.min_minutes"),
        ("staff.dwell", 1441, "staff.dwell"),
        ("cluster.cases", None, "cluster.cases"),
        ("venue.bar", ..., "venue.bar"),
        ("venue.bar.dwell", ..., "venue.bar.dwell"),
        ("venue.bar.linger", 61, "venue.bar.linger"),
        ("venue.bar.setting", "1", "venue.bar.setting"),
        ("venue.bar.setting", -0.5, "venue.bar.setting"),
        ("infectiousness.default", ..., "infectiousness.default"),
        ("infectiousness.3", "0.5", "infectiousness.3"),
        ("infectiousness.03", 0.5, "infectiousness.03"),
        ("infectiousness.-0", 0.5, "infectiousness.-0"),
        ("infectiousness.soon", 0.5, "infectiousness.soon"),
        ("bands.high", float("nan"), "bands.high"),
        ("bands.high", 19.5, "bands.high"),
        ("advice.test_on", [], "advice.test_on"),
    ],
)
def test_errors_name_the_field(path: str, value: Any, field: str) -> None:
    data = parsed()
    _put(path, value)(data)
    with pytest.raises(PolicyError) as error:
        policy_of_json(as_json(data))
    assert f"policy: {field}: " in str(error.value)


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"[]", b"1", b"[" * 100_000])
def test_what_is_no_policy_at_all(value: bytes) -> None:
    with pytest.raises(PolicyError):
        policy_of_json(value)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("[scan]\nclock_tolerence = 1", "scan.clock_tolerence"),
        ("[venue]\npub = { dwell = 1, max_stay = 1, linger = 0, setting = 1.0 }", "venue.pub"),
        ("[venue]\nbar = { lingr = 1,", "venue.bar.lingr"),
        ("[extra]\n", "extra"),
    ],
)
def test_a_file_with_an_unknown_field_is_refused(tmp_path: Path, line: str, field: str) -> None:
    table, rest = line.split("\n")
    text = BUILT_IN.read_text("utf-8")
    if "lingr" in rest:
        text = text.replace("bar             = { dwell", f"{rest} dwell")
    elif table in text:
        text = text.replace(table, line, 1)
    else:
        text += "\n" + line
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(PolicyError, match=rf"mine\.toml: {field}: "):
        load_policies(tmp_path)


def test_a_message_with_an_unknown_field_is_taken() -> None:
    data = parsed()
    data["scan"]["new"] = data["newer"] = 1
    data["venue"]["pub"] = {"anything": 1}
    assert policy_of_json(as_json(data)) == BASE


def test_a_folder_goes_before_the_built_in(tmp_path: Path) -> None:
    text = BUILT_IN.read_text("utf-8")
    (tmp_path / "a.toml").write_text(text.replace("vn-11042", "mine"), "utf-8")
    assert [p.id for p in load_policies(tmp_path)] == ["mine"]
    (tmp_path / "b.toml").write_text(text.replace("vn-11042", "mine"), "utf-8")
    with pytest.raises(PolicyError, match=r"b\.toml: id: a\.toml"):
        load_policies(tmp_path)
    (tmp_path / "b.toml").write_text("id = ", "utf-8")
    with pytest.raises(PolicyError, match=r"b\.toml"):
        load_policies(tmp_path)


def test_a_folder_without_policies_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(PolicyError, match="at least one"):
            load_policies(folder)


def test_the_newest_in_force_decides() -> None:
    a, b, c, d = (
        replace(BASE, id=name, in_force_from=day)
        for name, day in (
            ("z", date(2022, 1, 1)),
            ("b", date(2022, 2, 1)),
            ("c", date(2022, 2, 1)),  # a tie: the greater id
            ("a", date(2022, 3, 1)),
        )
    )
    policies = Policies([d, b, a, c])
    expected = {
        date(2000, 1, 1): a,
        date(2022, 1, 1): a,
        date(2022, 1, 31): a,
        date(2022, 2, 1): c,
        date(2022, 2, 28): c,
        date(2022, 3, 1): d,
        date(2030, 1, 1): d,
    }
    assert {day: policies.of_day(day_number(day)) for day in expected} == expected
    assert Policies([c, b]).of_day(0) == c  # before all: the first, at a tie the greater id


def test_the_day_is_local() -> None:
    old = replace(BASE, id="old", in_force_from=date(2021, 1, 1))
    policies = Policies([old, BASE])
    begins = day_number(date(2021, 12, 29)) * 86400 - 7 * 3600
    assert [policies.of_time(begins - 1).id, policies.of_time(begins).id] == ["old", "vn-11042"]


def test_policies_are_immutable_under_their_id() -> None:
    policies = Policies([BASE])
    other = replace(BASE, id="other", before_days=3)
    assert list(policies.with_policy(BASE)) == [BASE]
    assert set(p.id for p in policies.with_policy(other)) == {"vn-11042", "other"}
    assert list(policies) == [BASE]
    with pytest.raises(PolicyConflict, match="vn-11042"):
        policies.with_policy(replace(BASE, before_days=3))
