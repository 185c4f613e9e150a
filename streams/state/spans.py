"""Infectious spans: where and when a scan matters to an open case. Written by the evaluation, looked at by the ingest.

A row per case: the venues where its person was while infectious, with the span widened by all that a scan there can
reach. A venue where the person's scans make no infectious time is in the row with an empty span: its figures matter
(a longer stay would make one), its scans do not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from streams.state.layout import I64, U64, tokens_of
from streams.state.table import Table

_HEAD = struct.Struct(">III")
_SPAN = struct.Struct(">8sII")
NO_WINDOW = (0, 0)


class Span(NamedTuple):
    """A scan at `venue` (token) at a second in [start, end) matters."""

    venue: bytes
    start: int
    end: int


def case_token(case_id: str) -> bytes:
    """What a case is called in watch marks: 8 bytes."""
    return blake2b(case_id.encode(), digest_size=8).digest()


def next_row(row: bytes, window: tuple[int, int], spans: Iterable[Span]) -> bytes:
    """What follows `row` (b"" = none) for a case with this infectious window and these spans; `row` when nothing did.

    The number in front grows with each change: a paused worker that comes back must not find "its" row again after two
    changes and put its stale spans over the right ones.
    """
    packed = b"".join(_SPAN.pack(venue, max(start, 0), max(end, 0)) for venue, start, end in sorted(set(spans)))
    number, *had = _HEAD.unpack_from(row) if row else (0, 0, 0)
    if row and tuple(had) == window and row[_HEAD.size :] == packed:
        return row
    return _HEAD.pack(number + 1, *window) + packed


def window_of(row: bytes) -> tuple[int, int] | None:
    """The infectious window with which the case was evaluated last, None when it has no row."""
    return _HEAD.unpack_from(row)[1:] if row else None


def spans_in(row: bytes) -> list[Span]:
    """The spans of a row, b"" = none."""
    return [Span(*_SPAN.unpack_from(row, at)) for at in range(_HEAD.size, len(row), _SPAN.size)]


def _decode(_field: str, row: bytes) -> list[Span] | None:
    """None: the case has no infectious window (withdrawn, or an empty one). Its row stays, for the number in front."""
    if window_of(row) == NO_WINDOW:
        return None
    return spans_in(row)


class _Columns(NamedTuple):
    """Of one case: its spans that a scan can lie in."""

    venue: U64
    start: I64
    end: I64


_NOBODY, _NOTHING = np.empty(0, np.uint64), np.empty(0, np.int64)


class SpanTable(Table[list[Span] | None]):
    """The worker's copy, with arrays by venue to look many scans up at once, and cases by token and by venue.

    `case_of_token`: cases to which a scan can matter; `every_case_of_token` has withdrawn and closed ones as well, of
    which something may be published that an erasure must reach.
    """

    def __init__(self) -> None:
        super().__init__("spans", _decode)
        self.case_of_token: dict[bytes, str] = {}
        self.every_case_of_token: dict[bytes, str] = {}
        self.cases_at: dict[bytes, set[str]] = {}
        self._venues_of: dict[str, set[bytes]] = {}
        self._columns: dict[str, _Columns] = {}
        self._stale = True
        self._cases: list[str] = []
        self._venue: U64 = np.empty(0, np.uint64)
        self._start = self._end = self._case = np.empty(0, np.int64)

    def take(self, reply: list[bytes]) -> set[str]:
        changed = super().take(reply)
        for case_id in changed:
            token = case_token(case_id)
            self.every_case_of_token[token] = case_id
            for venue in self._venues_of.pop(case_id, ()):
                self.cases_at[venue].discard(case_id)
            spans = self.rows.get(case_id)
            if spans is not None:
                self.case_of_token[token] = case_id
                self._venues_of[case_id] = {span.venue for span in spans}
                for venue in self._venues_of[case_id]:
                    self.cases_at.setdefault(venue, set()).add(case_id)
            else:
                self.case_of_token.pop(token, None)
            self._put_columns(case_id, spans)
        self._stale = self._stale or bool(changed)
        return changed

    def _put_columns(self, case_id: str, spans: list[Span] | None) -> None:
        live = [span for span in spans or () if span.end > span.start]
        if not live:
            self._columns.pop(case_id, None)
            return
        venue = tokens_of(b"".join(span.venue for span in live))
        times = np.array([span[1:] for span in live], np.int64)
        self._columns[case_id] = _Columns(venue, times[:, 0], times[:, 1])

    def hits(self, venue: U64, second: I64) -> list[tuple[int, str]]:
        """(index of the scan, case) for each scan that lies in a span. `venue` uint64[n], `second` int64[n]."""
        if self._stale:
            self._build()
        if not len(self._venue):
            return []
        first = np.searchsorted(self._venue, venue, "left")
        count = np.searchsorted(self._venue, venue, "right") - first
        if not count.any():
            return []
        scan = np.repeat(np.arange(len(venue)), count)
        span = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
        t = second[scan]
        inside = (self._start[span] <= t) & (t < self._end[span])
        return [
            (s, self._cases[c]) for s, c in zip(scan[inside].tolist(), self._case[span[inside]].tolist(), strict=True)
        ]

    def _build(self) -> None:
        """A case that changed costs its own spans and one sort: with a thousand cases open, one changes each second."""
        self._cases = list(self._columns)
        columns = [self._columns[case_id] for case_id in self._cases]
        venue = np.concatenate([_NOBODY, *(c.venue for c in columns)])
        order = np.argsort(venue, kind="stable")
        self._venue = venue[order]
        self._start, self._end = (
            np.concatenate([_NOTHING, *part])[order] for part in ([c.start for c in columns], [c.end for c in columns])
        )
        self._case = np.repeat(np.arange(len(columns)), [len(c.venue) for c in columns])[order]
        self._stale = False
