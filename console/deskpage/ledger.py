"""The exposures of one case out of Redis: sorted, filtered, a page at a time, and read again only when they changed."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from streams.ports import Call
from streams.state.replies import pairs_of
from streams.state.standing import EXPOSURE, Standing

if TYPE_CHECKING:
    from console.deskpage.board import Board
    from streams.ports import Store

Record = dict[str, Any]
KEPT = 40
"""Cases whose exposures stay in memory: those that people have open. 100 exposures are about 300 KB."""
FRESH, SETTLED = 0.5, 2.0
"""seconds: a case is not read more often; and a record is on its topic an instant before it stands in the ledger."""
BANDS = ("high", "medium", "low")
CERTAINTIES = ("co-presence", "confirmed", "dismissed")


@dataclass
class Wanted:
    """What is to be shown: None = all. `text`: part of a pseudonym or of a venue's id."""

    band: str | None = None
    certainty: str | None = None
    text: str = ""
    sort: Literal["score", "minutes", "first_at", "last_at"] = "score"
    descending: bool = True

    def takes(self, record: Record) -> bool:
        if self.band is not None and record.get("band") != self.band:
            return False
        if self.certainty is not None and record.get("certainty") != self.certainty:
            return False
        text = self.text.strip().lower()
        return not text or (
            text in record["person"] or any(text in e["venue_id"].lower() for e in record.get("episodes") or ())
        )


class Ledger:
    """Reads of the ledger for many who look at the same time: each change of a case is read once."""

    def __init__(self, store: Store, board: Board) -> None:
        self._store, self._board = store, board
        self._cases: OrderedDict[str, tuple[float, list[Record]]] = OrderedDict()

    async def exposures(self, case_id: str) -> list[Record]:
        """All that stand of a case, strongest first. Raises StoreDown."""
        now, changed = time.monotonic(), self._board.touched_at(case_id)
        had = self._cases.get(case_id)
        if had is not None and (had[0] > changed + SETTLED or now - had[0] < FRESH):
            self._cases.move_to_end(case_id)
            return had[1]
        found = await self._read(case_id)
        self._cases[case_id] = (now, found)
        self._cases.move_to_end(case_id)
        while len(self._cases) > KEPT:
            self._cases.popitem(last=False)
        return found

    async def _read(self, case_id: str) -> list[Record]:
        partition = self._board.partition(case_id)
        if partition is None:
            return []
        (flat,) = await self._store.run([Call("HGETALL", (Standing(self._store, partition).bodies_key(case_id),))])
        records = [orjson.loads(body) for entry, body in pairs_of(flat) if entry[:1] == EXPOSURE and body]
        stands = [record for record in records if record["status"] != "withdrawn"]
        return sorted(stands, key=lambda r: (-(r.get("score") or 0), r["person"]))

    async def bands(self, case_ids: list[str]) -> dict[str, tuple[int, int, int]]:
        """Case → how many exposures of it are high, medium, low. One round trip."""
        known = [(case, part) for case in case_ids if (part := self._board.partition(case)) is not None]
        calls = [Call("HMGET", (f"tv:count:{{e{part:02d}}}:{case}",), BANDS) for case, part in known]
        replies = await self._store.run(calls) if calls else []
        found = {}
        for (case, _), reply in zip(known, replies, strict=True):
            high, medium, low = (int(n or 0) for n in reply)
            found[case] = (high, medium, low)
        return found


def chosen(records: list[Record], wanted: Wanted) -> list[Record]:
    """Those that are wanted, in the order that is wanted; what has no figure comes last."""
    found = [record for record in records if wanted.takes(record)]
    with_it = [record for record in found if record.get(wanted.sort) is not None]
    without = [record for record in found if record.get(wanted.sort) is None]
    return sorted(with_it, key=lambda record: record[wanted.sort], reverse=wanted.descending) + without
