"""Scans: one reading of one code at one venue each (topic `scans`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import Code, Flag, Id, Proof, Time, Word
from schemas.grammar import elements_of, is_json
from schemas.problem import SCHEMA, Problem, not_json
from schemas.reading import Headers, Reader, checked

_BLANK = b" \t\n\r"
MAX_BATCH = 1000
MAX_BATCH_BYTES = 768 * 1024
MODES = ("poster", "guard", "paper")
Direction = Literal["in", "out"]
Role = Literal["visitor", "staff"]


class ScanWire(msgspec.Struct, gc=False):
    """One reading of one code at one venue. `mode` is an open list: an unknown one counts as `other`."""

    scan_id: Id
    venue_id: Id
    person: Code
    scanned_at: Time
    gateway_id: Id
    direction: Direction | None = None
    role: Role | None = None
    mode: Word | None = None
    void: Flag | None = None
    proof: Proof | None = None


class Scan(msgspec.Struct, frozen=True):
    """Checked: `venue_id` and ids in NFC, `person` as read, `scanned_at` in seconds UTC (a fraction cut off)."""

    scan_id: str
    venue_id: str
    person: str
    scanned_at: int
    gateway_id: str
    direction: Direction = "in"
    role: Role = "visitor"
    mode: str = "poster"
    void: bool = False
    proof: str | None = None


def check_scan(wire: ScanWire) -> Scan:
    """What the types alone don't say. Raises FieldError."""
    mode = "poster" if wire.mode is None else wire.mode if wire.mode in MODES else "other"
    return checked(wire, Scan, mode=mode)


READER: Reader[ScanWire, Scan] = Reader("scan", ScanWire, check_scan)


def decode_scans(value: bytes | None, headers: Headers = ()) -> tuple[list[tuple[int | None, Scan]], list[Problem]]:
    """One record of `scans`: an object, or an array of at most 1,000 and 768 KiB. (index or None, scan) and problems.

    A bad element is a problem of its own; its neighbours count (rule 1). Never raises.
    """
    value = value or b""
    if not is_json(value):
        return [], [not_json(value)]
    wrong = READER.wrong_version(value, headers)
    if wrong is not None:
        return [], [wrong]
    if value.lstrip(_BLANK)[:1] != b"[":
        found = READER.read_element(value)
        return ([], [found]) if isinstance(found, Problem) else ([(None, found)], [])
    if len(value) > MAX_BATCH_BYTES:
        return [], [Problem(SCHEMA, f": expected at most {MAX_BATCH_BYTES // 1024} KiB of scans", None, value)]
    elements = elements_of(value)
    if len(elements) > MAX_BATCH:
        return [], [Problem(SCHEMA, f": expected at most {MAX_BATCH} scans", None, value)]
    scans: list[tuple[int | None, Scan]] = []
    problems: list[Problem] = []
    for index, element in enumerate(elements):
        found = READER.read_element(element, index)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            scans.append((index, found))
    return scans, problems
