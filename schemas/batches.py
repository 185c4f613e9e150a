"""Whole batches of records of `scans` at once: per scan only what cannot be shared.

It gives exactly what `decode_scans` gives record by record, and leaves every record that it has any doubt about to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from schemas.columns import ScanColumns, columns_of
from schemas.grammar import NESTING_LIMIT, may_be_deep
from schemas.problem import Problem
from schemas.reading import Headers
from schemas.scan import MAX_BATCH, MAX_BATCH_BYTES, READER, ScanWire, decode_scans

_scan = READER.decoder
_scans = msgspec.json.Decoder(list[ScanWire])
FEW, HOPELESS = 8, 20
_BREAK, _OPEN, _CLOSE = b"\n{}"


def decode_scan_records(
    values: Sequence[bytes | None], headers: Sequence[Headers]
) -> tuple[ScanColumns, list[tuple[int, Problem]]]:
    """Records of `scans` → columns of all good scans, and (position of the record, problem) of the rest."""
    columns = _lines(values) if not any(headers) else None
    if columns is not None:
        return columns, []
    parts: list[ScanColumns] = []
    problems: list[tuple[int, Problem]] = []
    singles: list[int] = []
    slow: list[int] = []
    wires: list[ScanWire] = []
    record: list[int] = []
    index: list[int] = []
    for at, value in enumerate(values):
        if not value or headers[at] or not value.isascii():
            slow.append(at)
        elif value[0] == 0x7B and value[-1] == 0x7D and b"\n" not in value:
            singles.append(at)
        elif value[0] == 0x5B:
            batch = _array(value)
            if batch is None:
                slow.append(at)
                continue
            wires += batch
            record += [at] * len(batch)
            index += range(len(batch))
        else:
            slow.append(at)
    found, rest = _good_lines(values, singles)
    parts += found
    slow += rest
    if wires:
        columns, doubtful = columns_of(wires, record, index)
        parts.append(columns)
        slow += doubtful
    for at in slow:
        scans, wrong = decode_scans(values[at], headers[at])
        problems += [(at, problem) for problem in wrong]
        if scans:
            parts.append(ScanColumns.of_scans([scan for _, scan in scans], at, [i for i, _ in scans]))
    return ScanColumns.joined(parts), problems


def _good_lines(values: Sequence[bytes | None], singles: list[int]) -> tuple[list[ScanColumns], list[int]]:
    """Of single scans: columns of those that are without doubt, and the rest. In halves: one bad record must not cost
    all others of its fetch a call of the decoder each (5,000 records, one of them bad: 17 ms for 175)."""
    parts: list[ScanColumns] = []
    rest: list[int] = []
    waiting = [singles] if singles else []
    failed = 0  # in a row
    while waiting:
        some = waiting.pop()
        lines = _lines([values[at] for at in some]) if failed < HOPELESS else None
        if lines is not None:
            parts.append(lines.at_records(some))
            failed = 0
        elif len(some) <= FEW or failed >= HOPELESS:
            rest += some
            failed += 1
        else:
            failed += 1
            half = len(some) // 2
            waiting += [some[:half], some[half:]]
    return parts, rest


def _array(value: bytes) -> list[ScanWire] | None:
    """One gateway's batch in one call of the decoder; None at any doubt."""
    if len(value) > MAX_BATCH_BYTES:
        return None
    try:
        batch = _scans.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    # Each scan opens one bracket, beside the others': only what is left over can be within one another.
    return None if len(batch) > MAX_BATCH or may_be_deep(value, len(batch)) else batch


def _lines(values: Sequence[bytes | None]) -> ScanColumns | None:
    """All records of a fetch in one call of the decoder; None at any doubt.

    Lines are cut by the decoder, not by us, so it has to be sure that no record holds a line break or two objects and
    that no two records make one: every line break is ours, and stands between } and {. A value that is open at its end
    could only go on after a comma, and within a text a line break is an error.
    """
    try:
        joined = b"\n".join(values)  # type: ignore[arg-type]
    except TypeError:  # an empty record (None)
        return None
    if joined[:1] != b"{" or joined[-1:] != b"}":
        return None
    signs = np.frombuffer(joined, np.uint8)  # numpy counts ten times as fast as bytes.count()
    breaks = np.flatnonzero(signs == _BREAK)
    if len(breaks) != len(values) - 1 or (signs[breaks - 1] != _CLOSE).any() or (signs[breaks + 1] != _OPEN).any():
        return None
    openings = np.count_nonzero(signs | 0x20 == _OPEN)  # [ is { without that bit, and no third sign is
    if openings - len(breaks) > NESTING_LIMIT and any(may_be_deep(value or b"") for value in values):
        return None
    if not joined.isascii():
        try:
            joined.decode()  # the decoder skips fields that it does not know without a look at their UTF-8
        except UnicodeDecodeError:
            return None
    try:
        wires = _scan.decode_lines(joined)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if len(wires) != len(values):
        return None
    columns, doubtful = columns_of(wires, None, None)
    return None if doubtful else columns
