"""The brute force against answers worked out by hand: an error here would hide one there."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.reference.answer import World, expected
from tests.reference.codes import canonical, pseudonym
from tests.reference.fields import NotJson, Schema, read_json, read_ms
from tests.reference.pieces import Piece, Scan, pieces_of
from tests.reference.spans import common, seconds, union, without

KEY = b"a key of the tests, at least 32 characters long"
POLICY: dict[str, Any] = tomllib.loads((Path(__file__).parent / "policy.toml").read_text())
V, W = "v", "w"


class Record(NamedTuple):
    topic: str
    value: bytes
    offset: int
    timestamp: int
    partition: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def test_spans_are_sets_of_seconds() -> None:
    some, others = [(0, 5), (5, 7), (9, 12)], [(3, 4), (6, 10), (11, 11)]

    def seen(spans: list[tuple[int, int]]) -> set[int]:
        return {second for a, b in spans for second in range(a, b)}

    assert union(some) == [(0, 7), (9, 12)]
    assert seen(common(some, others)) == seen(some) & seen(others)
    assert seen(without(some, others)) == seen(some) - seen(others)
    assert seconds(some) == len(seen(some))


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (" 012345678901\n", "cccd:012345678901"),
        ("012345678901|1|2|3|4|5|6", "cccd:012345678901"),
        ("012345678901|1|2", "raw:012345678901|1|2"),
        ("a|b|c|0|0123456789|", "qid:0123456789"),
        ("a|b|c|2|0123456789|", "raw:a|b|c|2|0123456789|"),
        ("dn1234567890123|x", "bhyt:DN1234567890123"),
        ("١٢٣٤٥٦٧٨٩٠١٢", "raw:١٢٣٤٥٦٧٨٩٠١٢"),
    ],
)
def test_codes(read: str, code: str) -> None:
    assert canonical(read) == code


@pytest.mark.parametrize("bad", [b"", b"NaN", b'"\xff"', b"[" * 100_000, b"{}x", b"\xef\xbb\xbf{}"])
def test_what_is_no_json(bad: bytes) -> None:
    with pytest.raises(NotJson):
        read_json(bad)


def test_long_numbers_are_json() -> None:
    assert read_json(b'{"a":' + b"1" * 5000 + b"}")["a"] > 0


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2021-12-29T00:00:00Z", 1640736000000),
        ("2021-12-29T07:00:00.0019+07:00", 1640736000001),
        (1640736000000, 1640736000000),
    ],
)
def test_times(text: object, ms: int) -> None:
    assert read_ms(text) == ms


@pytest.mark.parametrize("bad", ["2021-12-29T00:00:00", "2021-12-29t00:00:00Z", "2021-02-29T00:00:00Z", 1.5, True, "1"])
def test_no_times(bad: object) -> None:
    with pytest.raises(Schema):
        read_ms(bad)


def person(*scans: tuple[int, str, str]) -> list[Piece]:
    """Pieces of these scans (minute, venue, direction), in minutes; unregistered venues: dwell 30, max_stay 480."""
    pieces = pieces_of([Scan(t * 60, v, d, "visitor") for t, v, d in scans], {}, POLICY)
    return [piece._replace(start=piece.start // 60, end=piece.end // 60) for piece in pieces]


@pytest.mark.parametrize(
    ("scans", "pieces"),
    [
        ([(0, V, "in")], [(V, 0, 30, True)]),
        ([(0, V, "in"), (100, V, "out")], [(V, 0, 100, False)]),
        ([(0, V, "in"), (481, V, "out")], [(V, 0, 30, True), (V, 451, 481, True)]),
        ([(0, V, "in"), (10, V, "in")], [(V, 0, 10, False), (V, 10, 40, True)]),
        ([(0, V, "in"), (10, W, "in")], [(V, 0, 10, True), (W, 10, 40, True)]),
        ([(0, V, "in"), (0, V, "out")], []),
        ([(0, V, "in"), (0, V, "out"), (9, V, "out")], [(V, -30, 0, True), (V, 0, 9, False)]),
        ([(0, W, "in"), (20, V, "out")], [(V, 0, 20, True), (W, 0, 20, True)]),
        ([(100, V, "out")], [(V, 70, 100, True)]),
    ],
)
def test_pieces(scans: list[tuple[int, str, str]], pieces: list[tuple[str, int, int, bool]]) -> None:
    found = [(p.venue, p.start, p.end, p.inferred) for p in person(*scans)]
    assert found == sorted(pieces)


def scan(person: str, minute: int, venue: str, direction: str) -> dict[str, Any]:
    return {
        "scan_id": "s",
        "venue_id": venue,
        "person": person,
        "scanned_at": 1_640_736_000_000 + minute * 60_000,
        "gateway_id": "g",
        "direction": direction,
    }


def test_whole_answer() -> None:
    """The case is at V from 0 to 60, a contact from 30 to 90 with a second code: 30 minutes on the day of the onset."""
    begin = "2021-12-29T00:00:00Z"
    case = {"case_id": "c", "person": "012345678901", "status": "confirmed", "sampled_at": begin, "reported_at": begin}
    link = {"op": "link", "code": "111111111111", "same_as": "222222222222", "at": begin, "by": "x"}
    scans = [
        scan("012345678901", 0, V, "in"),
        scan("012345678901", 60, V, "out"),
        scan("111111111111", 30, V, "in"),
        scan("222222222222", 90, V, "out"),
        {"scan_id": "bad"},
    ]
    values = [("scans", scans), ("cases", {**case, "reported_by": "x"}), ("people", link)]
    records = [Record(topic, json.dumps(v).encode(), i, 1_640_750_000_000) for i, (topic, v) in enumerate(values)]
    found = expected(records, KEY, [POLICY])
    assert found.rejects == {"scans/0/0/4": "schema"}
    (content,) = found.exposures.values()
    pseudonyms = [pseudonym(f"cccd:{n * 12}", KEY) for n in "12"]
    assert content["person"] == min(pseudonyms)
    assert (content["minutes"], content["direct_minutes"], content["indirect_minutes"]) == (30, 30, 0)
    assert (content["first_at"], content["last_at"]) == ("2021-12-29T00:30:00Z", "2021-12-29T01:00:00Z")
    assert (content["score"], content["band"]) == (30.0, "medium")
    assert content["advice"]["follow_up_until"] == "2022-01-12"
    assert World(records[:2], KEY, [POLICY], None).exposures() != found.exposures
