"""The step behind `venues`: type and figures of places, under which every case that was there is worked out anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from schemas.decoding import Problem, decode_venue
from schemas.venue import Venue
from streams.ports import Message
from streams.rules.codes import venue_token
from streams.state import venues
from streams.state.venues import VenueRow
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers


class Venues(RegistryStep):
    """A slice together: a province has 20,000 venues, and a dozen round trips for each would take minutes."""

    SLICE = 1000

    async def _take_all(
        self, messages: Sequence[Message], topic: str, triggers: Triggers, alive: Callable[[], None]
    ) -> list[Problem | None]:
        decoded = [decode_venue(message.value, message.headers) for message in messages]
        greatest: dict[str, VenueRow] = {}
        for message, venue in zip(messages, decoded, strict=True):
            if isinstance(venue, Venue):
                row = _row(venue, message.value or b"")
                greatest[venue.venue_id] = max(row, greatest.get(venue.venue_id, row), key=_rank)
        await self._win(greatest)
        await self._announce_all("venue", self.worker.venues, greatest)
        # Look after the write: a case whose spans come later reads the new figures itself.
        await self.worker.spans.refresh(self.worker.store)
        for venue_id in greatest:
            for case_id in self.worker.spans.cases_at.get(venue_token(venue_id), ()):
                triggers.everybody(case_id)
        return [found if isinstance(found, Problem) else None for found in decoded]

    async def _win(self, new: Mapping[str, VenueRow]) -> None:
        table, store = self.worker.venues, self.worker.store
        left = set(new)
        while left:
            had = await table.read_many(store, sorted(left))
            changes = {
                venue_id: (had.get(venue_id, b""), venues.encode_row(new[venue_id]))
                for venue_id in sorted(left)
                if venue_id not in had or _rank(venues.decode_row(had[venue_id])) < _rank(new[venue_id])
            }
            left = await table.put_many(store, changes)


def _rank(row: VenueRow) -> tuple[int, bytes]:
    """Who wins (messages.md): the greatest."""
    return row.updated_at, row.value


def _row(venue: Venue, value: bytes) -> VenueRow:
    return VenueRow(
        updated_at=venue.updated_at,
        value=value,
        type=venue.type,
        dwell_minutes=venue.dwell_minutes,
        max_stay_minutes=venue.max_stay_minutes,
        linger_minutes=venue.linger_minutes,
    )
