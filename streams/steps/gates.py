"""What each gateway sent, from a batch of `scans`: cost by batch and gateway, not by scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.decoding import Problem, ScanColumns
from streams.ports import Message
from streams.rules.days import local_day
from streams.state import gates
from streams.state.gates import Gate
from streams.state.layout import I64, Mask
from streams.steps.worker import Worker

LONGEST_ID = 64  # messages.md
Groups = dict[tuple[str, int], Gate]


class Gates:
    """One instance a worker. It remembers how far each partition is counted; Redis knows better when they differ."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._until: dict[int, int] = {}

    async def add(
        self,
        messages: Sequence[Message],
        columns: ScanColumns,
        keep: Mask,
        problems: Sequence[tuple[int, Problem]],
    ) -> None:
        """`columns` with `scanned_at` as it was read; `keep` = what was accepted; `problems` = what no scan could be
        made of, and which record it is of."""
        if not messages:
            return
        partition, until = messages[0].partition, messages[-1].offset + 1
        offsets = np.fromiter((m.offset for m in messages), np.int64, len(messages))
        at = np.fromiter((m.timestamp for m in messages), np.int64, len(messages))
        known = self._until.get(partition, 0)
        while known < until:
            rows = np.flatnonzero(offsets[columns.record] >= known)
            found = of_scans(columns, keep, at, rows)
            for record, _ in problems:
                if messages[record].offset >= known:
                    _reject(found, messages[record])
            counts = [(name, gate) for (name, _), gate in found.items()]
            known = await gates.add(self._worker.store, partition, known, until, counts)
        self._until[partition] = known


def of_scans(columns: ScanColumns, keep: Mask, at: I64, rows: I64) -> Groups:
    """(gateway, local day of its records) → what these rows hold. `at`: timestamps (ms) of the records."""
    if not len(rows):
        return {}
    numbers: dict[str, int] = {}
    names = columns.gateway_ids if len(rows) == len(columns.gateway_ids) else [columns.gateway_ids[i] for i in rows]
    gateway = np.fromiter((numbers.setdefault(name, len(numbers)) for name in names), np.int64, len(rows))
    stamp, second, kept = at[columns.record[rows]], columns.seconds[rows], keep[rows]
    day = local_day(stamp // 1000)
    first = int(day.min())
    keys, group = np.unique(gateway * (int(day.max()) - first + 1) + day - first, return_inverse=True)
    scans = np.bincount(group[kept], minlength=len(keys))
    rejects = np.bincount(group[~kept], minlength=len(keys))
    newest, scan = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    np.maximum.at(newest, group, stamp)
    np.maximum.at(scan, group[kept], second[kept])
    offset = _offsets(group, columns.record[rows], stamp, second * 1000 - stamp)
    known = list(numbers)
    width = int(day.max()) - first + 1
    found: Groups = {}
    for i, key in enumerate(keys.tolist()):
        name, of = known[key // width], key % width + first
        found[name, of] = Gate(*(int(n) for n in (of, scans[i], rejects[i], newest[i], scan[i], newest[i], offset[i])))
    return found


def _offsets(group: I64, record: I64, stamp: I64, offset: I64) -> I64:
    """For each group the median of its newest record (of several with one timestamp, the greatest): a record is the
    same however batches are cut."""
    order = np.lexsort((offset, record, group))
    group, record, stamp, offset = group[order], record[order], stamp[order], offset[order]
    fresh = np.ones(len(group), bool)
    fresh[1:] = (group[1:] != group[:-1]) | (record[1:] != record[:-1])
    start = np.flatnonzero(fresh)
    median = offset[(start + np.append(start[1:], len(group)) - 1) // 2]
    last = np.lexsort((median, stamp[start], group[start]))
    ends = np.append(np.diff(group[start][last]) != 0, True)
    return np.asarray(median[last[ends]])


def _reject(found: Groups, message: Message) -> None:
    """What cannot be read names no gateway; the record's key may (messages.md)."""
    try:
        name = (message.key or b"").decode()
    except UnicodeDecodeError:
        return
    if not name or len(name) > LONGEST_ID:
        return
    day = local_day(message.timestamp // 1000)
    had = found.get((name, day), Gate(day, 0, 0, 0, 0, 0, 0))
    found[name, day] = had._replace(rejects=had.rejects + 1, newest=max(had.newest, message.timestamp))
