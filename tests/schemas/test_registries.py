"""Whatever bytes come on a registry's topic, its decoder answers: checked, a problem, or nothing for an empty value."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalogue import BY_NAME, MESSAGES
from schemas.decision import CaseDecision, ExposureDecision
from schemas.decoding import (
    decode_case,
    decode_coverage,
    decode_decision,
    decode_gateway,
    decode_organisation,
    decode_person,
    decode_policy,
    decode_venue,
)
from schemas.example_files import good
from schemas.grammar import is_json
from schemas.person import Employ, Erase, Hold, Link, Test, Unhold, Unlink, Vaccination
from schemas.problem import Problem
from tests.schemas.hostile import ODD_TEXTS, RAW, broken, hurt

INCOMING = [m for m in MESSAGES if m.direction == "in" and m.name != "scan"]
DECODERS = {
    "case": decode_case,
    "coverage": decode_coverage,
    "decision": decode_decision,
    "gateway": decode_gateway,
    "organisation": decode_organisation,
    "person": decode_person,
    "policy": decode_policy,
    "venue": decode_venue,
}
BASES = [(m.name, json.loads(path.read_bytes())) for m in INCOMING for path in good(m.name)]
AT = {"at": "2022-01-05T09:00:00.700Z", "by": "tracer-1"}


@st.composite
def hostile(draw: st.DrawFn) -> tuple[str, bytes]:
    name, base = draw(st.sampled_from(BASES))
    return name, draw(st.one_of(broken(hurt(base, sorted(base))), st.binary(max_size=10)))


@given(hostile())
@settings(max_examples=1500, deadline=None)
def test_nothing_escapes_a_decoder(found: tuple[str, bytes]) -> None:
    name, value = found
    answer = DECODERS[name](value, ())
    if answer is None:
        assert value == b""
    elif isinstance(answer, Problem):
        assert answer.reason == ("schema" if is_json(value) else "not_json")
        assert answer.payload == value
        assert answer.index is None
    else:
        assert is_json(value)
        assert isinstance(answer, msgspec.Struct)


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_an_empty_value_changes_nothing(name: str) -> None:
    assert DECODERS[name](None) is None
    assert DECODERS[name](b"") is None
    assert isinstance(DECODERS[name](b" "), Problem)


@pytest.mark.parametrize("name", sorted(DECODERS))
def test_a_reject_never_says_what_a_sender_wrote(name: str) -> None:
    """Every field in turn holds a marked text or number: the mark is in the payload, and never in the detail."""
    marks = ("zq77zq", " zq77zq", "zq77zq\x00", "zq77zq" * 300, "Object missing required field `zq77zq`")
    for _, base in ((n, b) for n, b in BASES if n == name):
        for field in base:
            for mark in (*marks, 7717717717717, [7717717717717], {"zq77zq": "zq77zq"}):
                answer = DECODERS[name](json.dumps({**base, field: mark}).encode())
                if isinstance(answer, Problem):
                    assert "zq77zq" not in answer.detail
                    assert "77177" not in answer.detail
                    assert answer.detail.startswith(("/" + field, "/case_id", "/exposure_id", "/code", "/last_dose_on"))


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize("raw", RAW, ids=lambda raw: repr(raw[:20]))
def test_fields_that_we_do_not_know_are_ignored_as_long_as_they_are_json(name: str, raw: bytes) -> None:
    base = next(base for n, base in BASES if n == name)
    value = json.dumps(base).encode()[:-1] + b',"from_a_newer_version":' + raw + b"}"
    answer = DECODERS[name](value)
    if is_json(value):
        assert answer == DECODERS[name](json.dumps(base).encode())
    else:
        assert isinstance(answer, Problem)
        assert (answer.reason, answer.detail) == ("not_json", ": expected JSON in UTF-8")


def test_texts_are_kept_in_nfc_and_codes_as_read() -> None:
    for text in ODD_TEXTS:
        case = decode_case(json.dumps({**_base("case"), "person": text}).encode())
        assert isinstance(case, Problem) or (case is not None and case.person == text)
    venue = decode_venue(json.dumps({**_base("venue"), "venue_id": "e\u0301", "name": "o\u031b\u0323"}).encode())
    assert venue is not None and not isinstance(venue, Problem)
    assert (venue.venue_id, venue.name) == ("\u00e9", "\u1ee3")


def _base(name: str) -> dict[str, Any]:
    return next(base for n, base in BASES if n == name)


def _person(**fields: Any) -> Any:
    return decode_person(json.dumps({**AT, **fields}).encode())


def test_each_operation_on_people_has_its_own_type() -> None:
    said = {"code": "a", "at": 1641373200, "by": "tracer-1", "updated_at": 1641373200700}
    assert _person(op="link", code="a", same_as="b") == Link(**said, same_as="b")
    assert _person(op="unlink", code="a") == Unlink(**said)
    assert _person(op="erase", code="a") == Erase(**said)
    assert _person(op="hold", code="a", ground="g") == Hold(**said, ground="g")
    assert _person(op="unhold", code="a", ground="g") == Unhold(**said, ground="g")
    vaccination = Vaccination(**said, doses=2, last_dose_on=date(2021, 12, 1))
    assert _person(op="vaccination", code="a", doses=2, last_dose_on="2021-12-01") == vaccination
    test = Test(**said, sampled_at=1641340800, result="positive", kind="PCR", lab=None)
    assert _person(op="test", code="a", sampled_at="2022-01-05T00:00:00Z", result="positive", kind="PCR") == test
    employ = Employ(**said, organisation="o", from_=date(2021, 11, 1), to=None)
    assert _person(op="employ", code="a", organisation="o", **{"from": "2021-11-01"}) == employ


def test_a_decision_is_of_a_case_or_of_an_exposure() -> None:
    def decided(**fields: Any) -> Any:
        return decode_decision(json.dumps({**AT, **fields}).encode())

    case = CaseDecision(
        case_id="c", decision="release", at=1641373200, by="tracer-1", updated_at=1641373200700, note="n"
    )
    assert decided(case_id="c", decision="release", note="n") == case
    exposure = decided(exposure_id="0" * 32, decision="dismiss", updated_at=1700000000001)
    assert exposure == ExposureDecision(
        exposure_id="0" * 32, decision="dismiss", at=1641373200, by="tracer-1", updated_at=1700000000001
    )


def test_updated_at_defaults_to_the_records_own_date_field() -> None:
    own = {"venue": "registered_at", "organisation": "registered_at", "gateway": "registered_at", "case": "reported_at"}
    own |= {"coverage": "as_of", "person": "at", "decision": "at"}
    for name, field in own.items():
        base = {k: v for k, v in _base(name).items() if k != "updated_at"}
        for time, ms in (("2022-01-05T09:00:00.7509Z", 1641373200750), (1641373200999, 1641373200999)):
            answer: Any = DECODERS[name](json.dumps({**base, field: time}).encode())
            assert answer.updated_at == ms, name
            answer = DECODERS[name](json.dumps({**base, field: time, "updated_at": 1700000000123}).encode())
            assert answer.updated_at == 1700000000123, name


def test_an_area_is_as_of_a_local_day_or_a_time() -> None:
    def as_of(value: Any) -> Any:
        return decode_coverage(json.dumps({**_base("coverage"), "as_of": value}).encode())

    assert as_of("2021-12-01").as_of == as_of("2021-12-01T00:00:00+07:00").as_of == 1638291600000
    assert as_of("2000-01-02").as_of == 946746000000
    for wrong in (
        "2000-01-01",
        "2100-01-02",
        "2021-02-30",
        "2021-12-1 ",
        "20211201",
    ):  # 2000 begins at 07:00 local time
        assert isinstance(as_of(wrong), Problem), wrong


def test_a_policys_content_is_what_was_sent() -> None:
    content = json.loads(next(p for p in good("policy") if p.stem == "strict").read_bytes())
    frame: Any = decode_policy(json.dumps(content).encode())
    assert frame.content == content
    assert frame.in_force_from == date(2022, 6, 1)
    assert set(BY_NAME) >= set(DECODERS)
