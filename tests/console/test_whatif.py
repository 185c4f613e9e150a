"""`truyvet whatif`, `truyvet policy`: figures of cases and of policies, and what is said before anything is sent."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from console import policies
from console.commands.whatif import show
from console.main import truyvet
from console.policies import differences, figures, read_file
from console.whatif import Compared, Figures, of_verdict, total
from schemas.case_status import CaseStatus
from schemas.exposure import Advice, Exposure
from streams.rules.policy import Policies, PolicyError, policy_of_json
from streams.steps.verdict import Gate, Verdict

POLICY = Path(__file__).resolve().parents[1] / "reference" / "policy.toml"
ONE, TWO = "p1" + "a" * 26, "p1" + "b" * 26


def exposure(person: str, band: str, until: str, **more: Any) -> Exposure:
    """Last contact on 5 January, late in the evening there (the day before in UTC is another day)."""
    return Exposure(
        exposure_id="x",
        revision=0,
        status="",
        case_id="C1",
        person=person,
        level="F1",
        band=band,
        last_at="2026-01-04T18:00:00Z",
        advice=Advice(until, "2026-01-10", ""),
        **more,
    )


def verdict(*found: Exposure, limit: int = 10, decision: str | None = None) -> Verdict:
    contents = {bytes([n]) * 16: content for n, content in enumerate(found)}
    return Verdict("C1", None, contents, "p", "", Gate(limit, decision), CaseStatus("C1", 0, "open"))


def test_a_case_counts_its_contacts_bands_and_days() -> None:
    found = of_verdict(verdict(exposure(ONE, "high", "2026-01-19"), exposure(TWO, "low", "2026-01-12")))
    assert found.plain() == {
        "f1": 2, "high": 1, "medium": 0, "low": 1, "held": 0, "follow_ups": 2, "follow_up_days": 14 + 7,
    }  # fmt: skip


def test_behind_the_gate_nobody_is_followed_up() -> None:
    two = exposure(ONE, "high", "2026-01-19"), exposure(TWO, "low", "2026-01-12")
    assert of_verdict(verdict(*two, limit=1)).plain() == {
        "f1": 2, "high": 1, "medium": 0, "low": 1, "held": 2, "follow_ups": 0, "follow_up_days": 0,
    }  # fmt: skip
    assert of_verdict(verdict(*two, limit=1, decision="release")).held == 0
    assert of_verdict(verdict(*two, limit=1, decision="refuse")).held == 2


def test_f2_are_no_contacts() -> None:
    second = replace(exposure(TWO, "low", "2026-01-12"), level="F2")
    assert of_verdict(verdict(exposure(ONE, "high", "2026-01-19"), second)).f1 == 1


def test_a_person_who_met_two_cases_is_followed_up_once() -> None:
    first, second = of_verdict(verdict(exposure(ONE, "high", "2026-01-19"))), Figures(1)
    second.follow_up[ONE] = datetime.date(2026, 1, 8), datetime.date(2026, 1, 15)
    both = total([first, second])
    assert (both.f1, both.plain()["follow_ups"], both.days) == (2, 1, 19 - 8)
    assert first.days == 14, "adding up changes no case's own figures"


def test_the_table_shows_both_where_they_differ(capsys: pytest.CaptureFixture[str]) -> None:
    show("strict", [Compared("C1", "vn", Figures(2), Figures(3))], 1, False)
    shown = capsys.readouterr().out
    assert "2 → 3" in shown and "all" in shown and "1 case left out" in shown
    show("strict", [Compared("C1", "vn", Figures(2), Figures(3))], 1, True)
    found = json.loads(capsys.readouterr().out)
    assert found["cases"]["C1"]["then"]["f1"] == 3 and found["total"]["today"]["f1"] == 2 and found["closed"] == 1


# -- policies


def changed(folder: Path, *pairs: tuple[str, str], name: str = "changed") -> Path:
    text = POLICY.read_text()
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after)
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def test_the_json_form_is_the_same_policy(tmp_path: Path) -> None:
    for pairs in ([], [('in_force_from = "2021-12-29"', "in_force_from = 2021-12-29")]):
        read = read_file(str(changed(tmp_path, *pairs)))
        assert policy_of_json(read.message) == read.policy
    assert json.loads(read.message)["in_force_from"] == "2021-12-29", "a date of TOML's own becomes text"


def test_an_unusable_file_names_the_field(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"changed\.toml: .*min_minutes"):
        read_file(str(changed(tmp_path, ("min_minutes = 15", "min_minutes = 0"))))
    with pytest.raises(PolicyError, match="no-such"):
        read_file(str(tmp_path / "no-such.toml"))


def test_every_figure_that_differs_is_named(tmp_path: Path) -> None:
    one = read_file(str(POLICY)).policy
    other = read_file(
        str(
            changed(
                tmp_path,
                ("min_minutes = 15", "min_minutes = 10"),
                ('"-2" = 0.6\n', '"6" = 0.25\n'),
                ("restaurant      = { dwell = 60,", "restaurant      = { dwell = 75,"),
            )
        )
    ).policy
    assert sorted(differences(one, other), key=str) == [
        ("infectiousness.-2", 0.6, None),
        ("infectiousness.6", None, 0.25),
        ("min_minutes", 15, 10),
        ("venue.restaurant.dwell", 60, 75),
    ]
    assert differences(one, one) == [] and figures(one)["venue.bar.setting"] == 1.5


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What went to the audit log and to Kafka, in order; the built-in policy is known."""
    found: list[Any] = []

    async def known(*_: object) -> policies.Known:
        return policies.Known(Policies([read_file(str(POLICY)).policy]), frozenset())

    class Nothing:
        def __init__(self, *_: object) -> None:
            pass

        async def __aenter__(self) -> Nothing:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def send(self, records: Any) -> None:
            found.extend(json.loads(record.value) for record in records)

    async def send_keyed(_: object, topic: str, records: Any) -> None:
        found.extend((topic, key) for key, _ in records)

    monkeypatch.setattr(policies, "known", known)
    monkeypatch.setattr("console.stores.open_store", Nothing)
    monkeypatch.setattr("console.auditing.open_log", Nothing)
    monkeypatch.setattr("console.publishing.send_keyed", send_keyed)
    return found


def publish(file: Path, *more: str) -> Any:
    return CliRunner().invoke(truyvet, ["policy", "publish", str(file), "--by", "An", *more])


def test_a_new_policy_is_on_record_before_it_is_sent(sent: list[Any], tmp_path: Path) -> None:
    result = publish(changed(tmp_path, ('id = "vn-11042"', 'id = "new"')), "--reason", "circular 7")
    assert result.exit_code == 0, result.output
    line, record = sent
    assert (line["action"], line["by"], line["subject"], line["reason"]) == ("policy", "An", "new", "circular 7")
    assert record == ("policies", "new")


def test_a_conflict_is_told_and_nothing_is_sent(sent: list[Any], tmp_path: Path) -> None:
    result = publish(changed(tmp_path, ("min_minutes = 15", "min_minutes = 10")))
    assert result.exit_code == 1 and "vn-11042" in result.stderr and "min_minutes" in result.stderr
    assert publish(changed(tmp_path)).exit_code == 0 and sent == [], "the same figures again are no conflict"


def test_what_the_audit_log_would_not_take_is_not_sent(sent: list[Any], tmp_path: Path) -> None:
    result = publish(changed(tmp_path, ('id = "vn-11042"', 'id = "new"')), "--reason", "as 0912345678 asked")
    assert result.exit_code == 2 and "--reason" in result.stderr and "0912345678" not in result.output
    assert sent == []
