"""What stands, as Redis has it: the records that were published last, kind by kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from streams.state.ledgers import read_standing
from streams.state.standing import ALERT, CLUSTER, EXPOSURE, FOLLOWUP, STATUS

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_KINDS = {
    "exposures": (EXPOSURE, "e"),
    "case-status": (STATUS, "e"),
    "venue-alerts": (ALERT, "e"),
    "clusters": (CLUSTER, "c"),
    "followups": (FOLLOWUP, "c"),
}
"""Topic → kind of entry, and the line of the ledger that it is in."""


async def standing(settings: Settings, topic: str, of: str | None = None) -> list[dict[str, Any]]:
    """The records of a topic that stand, in no order; `of` = only of this case (of `clusters`: venue, of `followups`:
    person). What was withdrawn is left out."""
    from console.publishing import partitions_of
    from console.stores import open_store

    # Redis files what stands by the partition of its case, venue or person; all topics have as many.
    partitions = (await partitions_of(settings, topic))[topic]
    kind, line = _KINDS[topic]
    async with open_store(settings) as store:
        bodies = [body async for body in read_standing(store, partitions, of, kind, line) if body]
    return [record for record in map(json.loads, bodies) if record.get("status") != "withdrawn"]
