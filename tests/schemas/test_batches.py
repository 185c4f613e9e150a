"""The fast way through a whole fetch gives exactly what the exact way gives record by record."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.decoding import decode_scan_records, decode_scans, element
from schemas.problem import Problem
from tests.schemas.hostile import RAW, arrays, broken, hurt, plain

GOOD = {
    "scan_id": "s",
    "venue_id": "v",
    "person": "001099000001",
    "scanned_at": "2024-05-01T08:00:00Z",
    "gateway_id": "g",
}
NAMES = [*GOOD, "direction", "role", "mode", "void", "proof"]
good = json.dumps(GOOD).encode()
with_unknown = good[:-1] + b', "u": %s}'

singles = broken(hurt(GOOD, NAMES))
batches = broken(arrays(hurt(GOOD, NAMES)))
records = st.one_of(st.just(good), st.just(good), singles, batches, st.none(), st.binary(max_size=12))
headers = st.sampled_from(
    [(), (), (), (("tv-schema", b"scan/1"),), (("tv-schema", b"scan/2"),), (("ce_id", b"x"),), (("tv-schema", b""),)]
)
Row = tuple[int, int, str, str, int, bool, bool, bool, str]


def exactly(values: list[bytes | None], heads: list) -> tuple[list[Row], list[tuple[int, Problem]]]:
    rows: list[Row] = []
    problems = []
    for at, value in enumerate(values):
        scans, wrong = decode_scans(value, heads[at])
        problems += [(at, p) for p in wrong]
        for i, s in scans:
            place = -1 if i is None else i
            out, staff = s.direction == "out", s.role == "staff"
            rows.append((at, place, s.venue_id, s.person, s.scanned_at, out, staff, s.void, s.gateway_id))
    return sorted(rows), sorted(problems, key=_place)


def fast(values: list[bytes | None], heads: list) -> tuple[list[Row], list[tuple[int, Problem]]]:
    c, problems = decode_scan_records(values, heads)
    columns = (c.record, c.index, c.seconds, c.out, c.staff, c.void)
    record, index, seconds, out, staff, void = (column.tolist() for column in columns)
    rows = zip(record, index, c.venue_ids, c.persons, seconds, out, staff, void, c.gateway_ids, strict=True)
    return sorted(rows), sorted(problems, key=_place)


def _place(found: tuple[int, Problem]) -> tuple[int, int]:
    return found[0], -1 if found[1].index is None else found[1].index


@given(st.lists(st.tuples(records, headers), min_size=1, max_size=6))
@settings(max_examples=600, deadline=None)
def test_whole_fetches_are_decoded_as_record_by_record(fetch: list) -> None:
    values, heads = [v for v, _ in fetch], [h for _, h in fetch]
    assert fast(values, heads) == exactly(values, heads)


@given(st.lists(st.one_of(st.just(good), hurt(GOOD, NAMES)), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_fetches_without_headers_are_decoded_as_record_by_record(values: list[bytes]) -> None:
    heads = [()] * len(values)
    assert fast(values, heads) == exactly(values, heads)


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: repr(raw[:24]))
@pytest.mark.parametrize("place", ["unknown field", "person", "scanned_at", "in a batch"])
def test_odd_values_among_good_ones(raw: bytes, place: str) -> None:
    odd = with_unknown % raw
    if place in GOOD:
        odd = good.replace(json.dumps(GOOD[place]).encode(), raw)
    elif place == "in a batch":
        odd = b"[" + good + b"," + odd + b"," + good + b"]"
    for values in ([good, odd, good], [odd]):
        rows, problems = exactly(values, [()] * len(values))
        assert fast(values, [()] * len(values)) == (rows, problems)
        assert len(rows) + len(problems) >= len(values)


@given(singles, batches)
@settings(max_examples=300, deadline=None)
@example(b"[]", b"[[]]")
def test_nothing_escapes_and_every_element_has_its_verdict(single: bytes, batch: bytes) -> None:
    for value in (single, batch):
        scans, problems = decode_scans(value)
        places = [i for i, _ in scans] + [p.index for p in problems]
        assert len(places) == len(set(places))
        assert places or plain(value) == []
        if None not in places:
            assert sorted(places) == list(range(len(plain(value))))
        for problem in problems:
            assert problem.reason in ("not_json", "schema")
            assert problem.payload == (value if problem.index is None else element(value, problem.index))


def test_a_batch_that_is_too_long_is_one_problem_without_index() -> None:
    for value in (b"[" + b",".join([good] * 1001) + b"]", b"[" + good + b" " * (768 * 1024) + b"]"):
        scans, problems = decode_scans(value)
        assert not scans
        assert [(p.reason, p.index, p.payload) for p in problems] == [("schema", None, value)]
        assert fast([good, value], [(), ()]) == exactly([good, value], [(), ()])
    assert len(decode_scans(b"[" + b",".join([good] * 1000) + b"]")[0]) == 1000


def test_nesting_has_one_limit_wherever_it_is_asked() -> None:
    def from_depth(frames: int, value: bytes) -> int:
        return from_depth(frames - 1, value) if frames else len(decode_scans(value)[0])

    for depth, accepted in ((126, 1), (127, 1), (128, 0), (5000, 0)):
        value = with_unknown % (b"[" * depth + b"]" * depth)
        assert from_depth(0, value) == from_depth(700, value) == accepted
        assert fast([good, value, good], [()] * 3) == exactly([good, value, good], [()] * 3)
    brackets_in_text = with_unknown % (b'"' + b"[{" * 5000 + b'\\""')
    assert len(decode_scans(brackets_in_text)[0]) == 1


def test_half_a_surrogate_pair_is_named_where_we_know_the_field_and_ignored_where_we_do_not() -> None:
    scans, problems = decode_scans(
        b"[" + with_unknown % b'"\\ud800"' + b"," + good.replace(b'"v"', b'"\\udfff"') + b"]"
    )
    assert [i for i, _ in scans] == [0]
    assert [p.detail.partition(":")[0] for p in problems] == ["/1/venue_id"]
    assert b"\\udfff" in problems[0].payload


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(good[:-1] + b',"u":', b"{}}", id="open at its end, the next begins like an object"),
        pytest.param(good[:-1] + b',"u":{}', b',"w":1}', id="ends like an object, the next goes on"),
        pytest.param(good[:-1] + b",", b'"u":1}', id="cut between two fields"),
    ],
)
def test_two_records_that_make_one_object_do_not_hide_behind_one_that_holds_two(first: bytes, second: bytes) -> None:
    """The number of objects is right by chance: only the signs beside the line breaks tell."""
    values = [good, first, second, good + good, good]
    rows, problems = exactly(values, [()] * 5)
    assert [row[0] for row in rows] == [0, 4]
    assert [(at, p.reason) for at, p in problems] == [(1, "not_json"), (2, "not_json"), (3, "not_json")]
    assert fast(values, [()] * 5) == (rows, problems)
