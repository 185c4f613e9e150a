"""What evaluations read and write of a case, an effect a method; and what they find.

The order of the effects, and why it matters: evaluate.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from streams.ports import StoreChanged
from streams.rules.exposure import ExposureTable
from streams.rules.policy import Policy
from streams.state import graph
from streams.state.cases import CaseRow
from streams.state.graph import mark_calls, read_persons, read_venues
from streams.state.layout import U64, Records, token_bytes, tokens_of
from streams.state.spans import Span, case_token, next_row
from streams.steps.contacts import PersonDays, Scene
from streams.steps.worker import Worker


class CaseChanged(Exception):
    """Somebody changed what the evaluation rests on while it read: begin again with what is there now."""


class Found(NamedTuple):
    """What was read for a case, and what rules 2 to 5 make of it.

    `table` counts venues as `at` (tokens), persons as `others.persons`; `persons` = by that number, the pseudonym by
    which each F1 goes, b"" for everybody else. `own`, `wanted` = the days read of the case's person and of the others.
    `spans` = where a scan matters to the case, `row` = as they are in Redis now. `as_of` = version of the table of
    people that all this began with.
    """

    own: PersonDays
    wanted: PersonDays
    scene: Scene
    others: Scene
    table: ExposureTable
    at: U64
    names: dict[bytes, str]
    persons: list[bytes]
    spans: list[Span]
    row: bytes
    as_of: int


class Looked(NamedTuple):
    """A case, the policy that decides about it, its window (rule 4), and what was found.

    `found` None: nothing can be (`closed`: too old; `withdrawn`; `open` with an empty window). `through` = the newest
    record timestamp taken in, seconds; `moved`: the window is another one than at the last evaluation.
    """

    case: CaseRow
    policy: Policy
    window: tuple[int, int]
    through: int
    state: Literal["open", "withdrawn", "closed"]
    found: Found | None = None
    moved: bool = False


class Reading:
    """`writes=False`: nothing is written, neither marks nor spans."""

    def __init__(self, worker: Worker, *, writes: bool = True) -> None:
        self.worker = worker
        self.writes = writes

    # -- effects, each a method of its own so that the simulation can swap their order and must be caught doing it

    async def _mark(self, kind: bytes, case_id: str, who: PersonDays) -> None:
        if len(who.persons) and self.writes:
            calls = mark_calls(kind, case_token(case_id), who.persons, who.first_day, who.last_day)
            await self.worker.store.run(calls)

    async def _same_persons(self, as_of: int, who: Iterable[U64]) -> None:
        """After marking: a link or an erasure that was written before the marks could be seen is read here, and one
        that is written from here on finds the marks. Raises CaseChanged when one concerns somebody of `who`, who were
        worked out from the table of people as it was at version `as_of`."""
        people = self.worker.people
        await people.refresh(self.worker.store)
        changed = people.changed_since(as_of)
        if changed is None:
            raise CaseChanged
        if changed:
            concerned = people.concerned(changed)
            if concerned and any(np.isin(tokens_of(b"".join(sorted(concerned))), w).any() for w in who):
                raise CaseChanged

    async def _read(self, persons: U64, days: np.ndarray) -> Records:
        return await read_persons(self.worker.store, persons, days)

    async def _anchors(self, venues: U64, days: np.ndarray) -> Records:
        return await read_venues(self.worker.store, venues, days)

    async def _put_spans(self, case_id: str, before: bytes, window: tuple[int, int], spans: list[Span]) -> bytes:
        if not self.writes:
            return before
        row = next_row(before, window, spans)
        if row != before and not await self.worker.spans.put(self.worker.store, case_id, before, row):
            raise CaseChanged
        return row

    # -- names

    async def _pseudonyms(self, others: Scene, is_f1: np.ndarray) -> list[bytes]:
        """By person index: the pseudonym by which each F1 goes, b"" for everybody else."""
        tokens = [bytes(t) for t in token_bytes(others.persons)]
        people = self.worker.people
        f1 = [token for token, yes in zip(tokens, is_f1, strict=True) if yes]
        rest = await graph.read_names(self.worker.store, graph.PERSONS, [t for t in f1 if people.full(t) is None])
        # Names are kept before facts (ingest): a contact without one means that Redis was emptied under us.
        if any(people.full(token) is None and token not in rest for token in f1):
            raise StoreChanged("a contact has no name: Redis was emptied")
        return [
            (people.full(token) or token + rest[token]) if yes else b""
            for token, yes in zip(tokens, is_f1, strict=True)
        ]

    async def _venue_names(self, venues: U64) -> dict[bytes, str]:
        known = self.worker.venue_names
        tokens = [bytes(token) for token in token_bytes(venues)]
        missing = [token for token in tokens if token not in known]
        if missing:
            found = await graph.read_names(self.worker.store, graph.VENUES, missing)
            known.update((token, name.decode()) for token, name in found.items())
            if len(found) < len(missing):
                # Names are kept before facts (ingest): a venue without one means that Redis was emptied under us.
                raise StoreChanged("a venue has no name: Redis was emptied")
        return {token: known[token] for token in tokens}

    def _places(self, at: U64, names: dict[bytes, str]) -> list[tuple[str, str]]:
        """Tokens → (venue_id, type) of each."""
        by_token = self.worker.venues.by_token
        return [
            (names.get(token, ""), by_token[token].type if token in by_token else "other")
            for token in map(bytes, token_bytes(at))
        ]
