"""Many scans as columns: what the ingest works on. Checks are made on all texts and times of a column at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.scan import Scan, ScanWire
from schemas.texts import clean, clean_code, clean_id
from schemas.times import EARLIEST_MS, LATEST_MS, parse_time

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ScanColumns:
    """Checked scans: `record` = position of the record, `index` = place in its array (-1: a single object), `seconds`
    UTC, `persons` as read."""

    record: I64
    index: I64
    venue_ids: list[str]
    persons: list[str]
    seconds: I64
    out: Mask
    staff: Mask
    void: Mask
    gateway_ids: list[str]

    def at_records(self, positions: list[int]) -> ScanColumns:
        """The same, when record k was record `positions[k]`."""
        places = np.array(positions, np.int64)[self.record]
        return ScanColumns(
            places,
            self.index,
            self.venue_ids,
            self.persons,
            self.seconds,
            self.out,
            self.staff,
            self.void,
            self.gateway_ids,
        )

    @staticmethod
    def of_scans(scans: list[Scan], record: int, index: list[int | None]) -> ScanColumns:
        return ScanColumns(
            np.full(len(scans), record, np.int64),
            np.array([-1 if i is None else i for i in index], np.int64),
            [s.venue_id for s in scans],
            [s.person for s in scans],
            np.array([s.scanned_at for s in scans], np.int64),
            np.array([s.direction == "out" for s in scans], bool),
            np.array([s.role == "staff" for s in scans], bool),
            np.array([s.void for s in scans], bool),
            [s.gateway_id for s in scans],
        )

    @staticmethod
    def joined(parts: Sequence[ScanColumns]) -> ScanColumns:
        if len(parts) == 1:
            return parts[0]
        parts = [ScanColumns.of_scans([], 0, []), *parts]
        return ScanColumns(
            np.concatenate([p.record for p in parts]),
            np.concatenate([p.index for p in parts]),
            [v for p in parts for v in p.venue_ids],
            [v for p in parts for v in p.persons],
            np.concatenate([p.seconds for p in parts]),
            np.concatenate([p.out for p in parts]),
            np.concatenate([p.staff for p in parts]),
            np.concatenate([p.void for p in parts]),
            [v for p in parts for v in p.gateway_ids],
        )


def columns_of(
    wires: list[ScanWire], record: list[int] | None, index: list[int] | None
) -> tuple[ScanColumns, list[int]]:
    """Columns of the scans of all records in which nothing is odd, and the positions of the records where something is.

    `record`, `index` None: every scan is a record of its own.
    """
    n = len(wires)
    venues = [w.venue_id for w in wires]
    persons = [w.person for w in wires]
    gateways = [w.gateway_id for w in wires]
    odd: set[int] = set()
    for ids in (venues, gateways, [w.scan_id for w in wires]):
        text = "".join(ids)
        if not (text.isascii() and text.isprintable() and " " not in text):
            odd |= {i for i, v in enumerate(ids) if not _is(clean_id, v) or clean(v) != v}
    text = "".join(persons)
    if not (text.isascii() and text.isprintable() and " " not in text):
        odd |= {i for i, v in enumerate(persons) if not _is(clean_code, v)}
    odd |= {i for i, w in enumerate(wires) if w.proof is not None and not _is(clean, w.proof)}
    seconds, late = _seconds([w.scanned_at for w in wires])
    odd |= late
    columns = ScanColumns(
        np.arange(n) if record is None else np.array(record, np.int64),
        np.full(n, -1, np.int64) if index is None else np.array(index, np.int64),
        venues,
        persons,
        seconds,
        np.fromiter([w.direction == "out" for w in wires], bool, n),
        np.fromiter([w.role == "staff" for w in wires], bool, n),
        np.fromiter([w.void is True for w in wires], bool, n),
        gateways,
    )
    if not odd:
        return columns, []
    doubtful = sorted({int(columns.record[i]) for i in odd})
    keep = ~np.isin(columns.record, doubtful)
    chosen = np.flatnonzero(keep).tolist()
    return (
        ScanColumns(
            columns.record[keep],
            columns.index[keep],
            [venues[i] for i in chosen],
            [persons[i] for i in chosen],
            seconds[keep],
            columns.out[keep],
            columns.staff[keep],
            columns.void[keep],
            [gateways[i] for i in chosen],
        ),
        doubtful,
    )


def _is(check: object, text: str) -> bool:
    try:
        check(text)  # type: ignore[operator]
    except ValueError:
        return False
    return True


def _seconds(times: list[str | int]) -> tuple[I64, set[int]]:
    """Times as they came → seconds, and the positions of those that are none."""
    kinds = set(map(type, times))
    if kinds == {int}:
        try:
            ms = np.array(times, np.int64)
        except OverflowError:
            return _one_by_one(times)
        if len(ms) and ms.min() >= EARLIEST_MS and ms.max() < LATEST_MS:
            return ms // 1000, set()
    elif kinds == {str} and set(map(len, times)) == {20}:  # type: ignore[arg-type]
        text = "".join(times)  # type: ignore[arg-type]
        if text.isascii():
            seconds = _zulu(np.frombuffer(text.encode(), np.uint8).reshape(-1, 20))
            if seconds is not None:
                return seconds, set()
    return _one_by_one(times)


def _one_by_one(times: list[str | int]) -> tuple[I64, set[int]]:
    seconds = np.zeros(len(times), np.int64)
    odd = set()
    for i, value in enumerate(times):
        try:
            seconds[i] = parse_time(value) // 1000
        except ValueError:
            odd.add(i)
    return seconds, odd


_SEPARATORS = ((4, b"-"), (7, b"-"), (10, b"T"), (13, b":"), (16, b":"), (19, b"Z"))
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEFORE = np.concatenate([[0, 0], np.cumsum(_MONTH_DAYS[1:])])


def _zulu(text: npt.NDArray[np.uint8]) -> I64 | None:
    """uint8[n, 20] of `YYYY-MM-DDTHH:MM:SSZ` → seconds; None when one of them is not exactly that, or no time."""
    for place, sign in _SEPARATORS:
        if (text[:, place] != sign[0]).any():
            return None
    d = text[:, _DIGITS].astype(np.int64) - 48
    if ((d < 0) | (d > 9)).any():
        return None
    year = d[:, 0] * 1000 + d[:, 1] * 100 + d[:, 2] * 10 + d[:, 3]
    month, day = d[:, 4] * 10 + d[:, 5], d[:, 6] * 10 + d[:, 7]
    hour, minute, second = d[:, 8] * 10 + d[:, 9], d[:, 10] * 10 + d[:, 11], d[:, 12] * 10 + d[:, 13]
    if (year < 2000).any() or (year > 2099).any() or (month < 1).any() or (month > 12).any():
        return None
    leap = year % 4 == 0  # exact from 1901 to 2099
    if (day < 1).any() or (day > _MONTH_DAYS[month] + (leap & (month == 2))).any():
        return None
    if (hour > 23).any() or (minute > 59).any() or (second > 59).any():
        return None
    days = (year - 1970) * 365 + (year - 1969) // 4 + _BEFORE[month] + (leap & (month > 2)) + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second
