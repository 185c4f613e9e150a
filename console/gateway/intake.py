"""From the body of a request to the records that Kafka is to have, and to what is refused of it and why.

A record holds scans of one gateway only, since its key is the gateway's id: so one terminal's scans stay in one
partition, in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from console.gateway.frames import Record
from schemas.batches import decode_scan_records
from schemas.grammar import elements_of
from schemas.problem import NOT_JSON, Problem
from schemas.reading import Headers
from schemas.scan import MAX_BATCH_BYTES, READER, Scan, decode_scans

_NO_GATEWAY = "/gateway_id: expected the field to be there"
_BLANK = b" \t\n\r"
_WORTH_COLUMNS = 500  # bytes: checking column by column has a price of its own


class NotJson(Exception):
    """The body is not JSON in UTF-8."""


class TooMany(Exception):
    """More scans than one batch may hold."""


class Refusal(NamedTuple):
    """`index` in the batch, None for a single scan; `field` as a JSON pointer, "" = the scan as a whole."""

    index: int | None  # type: ignore[assignment]  # tuple.index, which nobody needs
    reason: str
    field: str
    expected: str


class Intake(NamedTuple):
    """What a request brought: `records` in the order of its scans, for each gateway."""

    records: list[Record]
    scans: int
    refused: list[Refusal]


def take_in(body: bytes, received_ms: int, headers: Headers = (), gateway_id: str | None = None) -> Intake:
    """`gateway_id`: of scans that name none; None = they are refused. Raises NotJson, TooMany."""
    whole = _all_good(body, received_ms, headers)
    if whole is not None:
        return whole
    scans, problems = decode_scans(body, headers)
    if problems and problems[0].reason == NOT_JSON:
        raise NotJson
    batch = body.lstrip(_BLANK)[:1] == b"["
    if batch and problems and problems[0].index is None and READER.wrong_version(body, headers) is None:
        raise TooMany  # its bytes were counted before
    values = elements_of(body) if batch else [body]
    good = {index or 0: (scan.gateway_id, values[index or 0]) for index, scan in scans}
    refused = []
    for problem in problems:
        named = _named(problem, gateway_id)
        if isinstance(named, Problem):
            refused.append(_refusal(named))
        else:
            good[problem.index or 0] = named
    lots: dict[str, list[bytes]] = {}
    for _, (name, value) in sorted(good.items()):
        lots.setdefault(name, []).append(value)
    records = [record for name, lot in lots.items() for record in _records(name, lot, batch, received_ms)]
    return Intake(records, len(good), refused)


def _all_good(body: bytes, received_ms: int, headers: Headers) -> Intake | None:
    """The body as it is, where nothing is wrong with it and one gateway sent it; None where a closer look is needed."""
    if len(body) > MAX_BATCH_BYTES or headers:
        return None
    names: set[str]
    if len(body) < _WORTH_COLUMNS:
        scans, problems = decode_scans(body)
        names, count = {scan.gateway_id for _, scan in scans}, len(scans)
    else:
        columns, found = decode_scan_records([body], [()])
        problems, names, count = [p for _, p in found], set(columns.gateway_ids), len(columns.gateway_ids)
    if problems or len(names) > 1:
        return None
    return Intake([Record(name.encode(), body, count, received_ms) for name in names], count, [])


def _named(problem: Problem, gateway_id: str | None) -> tuple[str, bytes] | Problem:
    """A scan whose only fault is that it names no gateway, with ours written in front of its other fields."""
    if gateway_id is None or not problem.detail.endswith(_NO_GATEWAY):
        return problem
    rest = problem.payload.lstrip(_BLANK)[1:]
    value = b'{"gateway_id":' + orjson.dumps(gateway_id) + b"," + rest
    found = READER.read_element(value, problem.index)
    return (found.gateway_id, value) if isinstance(found, Scan) else found


def _refusal(problem: Problem) -> Refusal:
    """The detail names the place in the batch once more, and never a value (schemas.problem)."""
    place, _, expected = problem.detail.partition(": expected ")
    if problem.index is not None:
        place = place.removeprefix(f"/{problem.index}")
    return Refusal(problem.index, problem.reason, place, expected)


def _records(name: str, values: Sequence[bytes], batch: bool, received_ms: int) -> list[Record]:
    """Scans of one gateway: a single one as it came, those of a batch as batches that are no longer than may be."""
    key = name.encode()
    if not batch:
        return [Record(key, value, 1, received_ms) for value in values]
    lots: list[list[bytes]] = [[]]
    size = 2
    for value in values:
        # A gateway_id written into each may make a batch longer than it came.
        if lots[-1] and size + len(value) + 1 > MAX_BATCH_BYTES:
            lots.append([])
            size = 2
        lots[-1].append(value)
        size += len(value) + 1
    return [Record(key, b"[" + b",".join(lot) + b"]", len(lot), received_ms) for lot in lots]
