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
    venues, gateways = [w.venue_id for w in wires], [w.gateway_id for w in wires]
    persons, proof = [w.person for w in wires], [w.proof for w in wires]
    odd: set[int] = set()
    for ids in (venues, gateways, [w.scan_id for w in wires]):
        if not _plain(ids):
            odd |= {i for i, v in enumerate(ids) if not _is(clean_id, v) or clean(v) != v}
    if not _plain(persons):
        odd |= {i for i, v in enumerate(persons) if not _is(clean_code, v)}
    if any(proof):
        odd |= {i for i, v in enumerate(proof) if v is not None and not _is(clean, v)}
    seconds, late = _seconds([w.scanned_at for w in wires])
    odd |= late
    columns = ScanColumns(
        np.arange(n) if record is None else np.array(record, np.int64),
        np.full(n, -1, np.int64) if index is None else np.array(index, np.int64),
        venues,
        persons,
        seconds,
        _where([w.direction for w in wires], "out"),
        _where([w.role for w in wires], "staff"),
        _where([w.void for w in wires], True),
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


def _plain(texts: list[str]) -> bool:
    """Whether all texts are printable ASCII without a blank: nothing in them is for `clean` to find."""
    joined = "".join(texts)
    if not joined.isascii():
        return False
    signs = np.frombuffer(joined.encode(), np.uint8)
    return not len(signs) or bool(signs.min() > 0x20 and signs.max() < 0x7F)


def _where(values: Sequence[object], wanted: object) -> Mask:
    if wanted not in values:
        return np.zeros(len(values), bool)
    return np.fromiter([v == wanted for v in values], bool, len(values))


def _seconds(times: list[str | int]) -> tuple[I64, set[int]]:
    """Times as they came → seconds, and the positions of those that are none.

    Gateways write times in a few forms; all times of one form are read at once.
    """
    try:
        kinds = set(map(len, times))  # type: ignore[arg-type]
        if len(kinds) == 1:
            return _of_kind(kinds.pop(), times)
    except TypeError:  # milliseconds have no length
        pass
    form = np.array([len(t) if isinstance(t, str) else _MS for t in times], np.int64)
    seconds, odd = np.zeros(len(times), np.int64), set[int]()
    for kind in set(form.tolist()):
        places = np.flatnonzero(form == kind)
        found, wrong = _of_kind(kind, [times[i] for i in places.tolist()])
        seconds[places] = found
        odd |= {int(places[i]) for i in wrong}
    return seconds, odd


def _of_kind(kind: int, times: Sequence[str | int]) -> tuple[I64, set[int]]:
    """`kind` = the length of each text, or _MS."""
    if kind == _MS:
        try:
            ms = np.array(times, np.int64)
        except OverflowError:
            return _one_by_one(times)
        if ms.min() >= EARLIEST_MS and ms.max() < LATEST_MS:
            return ms // 1000, set()
    elif kind in (_ZULU, _OFFSET):
        text = "".join(times)  # type: ignore[arg-type]
        if text.isascii():
            signs = np.frombuffer(text.encode(), np.uint8).reshape(-1, kind)
            seconds = _zulu(signs) if kind == _ZULU else _offset(signs)
            if seconds is not None:
                return seconds, set()
    return _one_by_one(times)


def _one_by_one(times: Sequence[str | int]) -> tuple[I64, set[int]]:
    seconds = np.zeros(len(times), np.int64)
    odd = set()
    for i, value in enumerate(times):
        try:
            seconds[i] = parse_time(value) // 1000
        except ValueError:
            odd.add(i)
    return seconds, odd


_MS, _ZULU, _OFFSET = -1, len("YYYY-MM-DDTHH:MM:SSZ"), len("YYYY-MM-DDTHH:MM:SS+07:00")
_SEPARATORS = ((4, b"-"), (7, b"-"), (10, b"T"), (13, b":"), (16, b":"))
_DIGITS = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEFORE = np.concatenate([[0, 0], np.cumsum(_MONTH_DAYS[1:])])


def _zulu(text: npt.NDArray[np.uint8]) -> I64 | None:
    """uint8[n, 20] of `YYYY-MM-DDTHH:MM:SSZ` → seconds; None when one of them is not exactly that, or no time."""
    return None if (text[:, 19] != ord("Z")).any() else _clock(text)


def _offset(text: npt.NDArray[np.uint8]) -> I64 | None:
    """uint8[n, 25] of `YYYY-MM-DDTHH:MM:SS+HH:MM` → seconds; None as above, and when an end of time may be crossed."""
    sign = text[:, 19]
    if ((sign != ord("+")) & (sign != ord("-"))).any() or (text[:, 22] != ord(":")).any():
        return None
    d = text[:, [20, 21, 23, 24]].astype(np.int64) - 48
    hour, minute = d[:, 0] * 10 + d[:, 1], d[:, 2] * 10 + d[:, 3]
    if ((d < 0) | (d > 9)).any() or (hour > 23).any() or (minute > 59).any():
        return None
    local = _clock(text)
    if local is None:
        return None
    seconds = local - np.where(sign == ord("+"), 60, -60) * (hour * 60 + minute)
    return None if seconds.min() * 1000 < EARLIEST_MS or seconds.max() * 1000 >= LATEST_MS else seconds


def _clock(text: npt.NDArray[np.uint8]) -> I64 | None:
    """The first 19 characters, as a time of UTC."""
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
