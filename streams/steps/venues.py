"""The step behind `venues`: type and figures of places, under which every case that was there is worked out anew."""

from __future__ import annotations

from schemas.decoding import Problem, decode_venue
from schemas.venue import Venue
from streams.ports import Message
from streams.rules.codes import venue_token
from streams.state import venues
from streams.state.venues import VenueRow
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers


class Venues(RegistryStep):
    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        venue = decode_venue(message.value, message.headers)
        if venue is None or isinstance(venue, Problem):
            return venue
        await self._win(venue, message.value or b"")
        await self._announce("venue", self.worker.venues, venue.venue_id)
        # Look after the write: a case whose spans come later reads the new figures itself.
        await self.worker.spans.refresh(self.worker.store)
        for case_id in self.worker.spans.cases_at.get(venue_token(venue.venue_id), ()):
            triggers.everybody(case_id)
        return None

    async def _win(self, venue: Venue, value: bytes) -> None:
        new = VenueRow(
            updated_at=venue.updated_at,
            value=value,
            type=venue.type,
            dwell_minutes=venue.dwell_minutes,
            max_stay_minutes=venue.max_stay_minutes,
            linger_minutes=venue.linger_minutes,
        )
        table, store = self.worker.venues, self.worker.store
        while True:
            had = await table.read(store, venue.venue_id)
            if had:
                old = venues.decode_row(had)
                if (old.updated_at, old.value) >= (new.updated_at, new.value):
                    return
            if await table.put(store, venue.venue_id, had, venues.encode_row(new)):
                return
