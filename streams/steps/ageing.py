"""Exposures of closed cases end by their own age, with a tombstone: nothing is withdrawn by it (rule 10)."""

from __future__ import annotations

from schemas.times import parse_time
from streams.rules.forgetting import is_ended
from streams.state.standing import EXPOSURE, Standing
from streams.steps.kinds import KINDS
from streams.steps.publish import Change
from streams.steps.worker import Worker


async def ended(standing: Standing, worker: Worker, case_id: str) -> dict[bytes, Change]:
    """Changes that end what is old enough of a closed case: withdrawn records as well, since they name a person too."""
    now, _ = await worker.now()
    heads = await standing.heads(case_id)
    entries = sorted(entry for entry, head in heads.items() if entry[:1] == EXPOSURE and head.revision)
    found = {}
    for entry, body in (await standing.bodies(case_id, entries)).items():
        record = KINDS[EXPOSURE].decode(body)
        days = worker.retention(worker.policies.by_id(record.policy))
        stamp = record.last_at or record.issued_at
        if is_ended(parse_time(stamp) // 1000, now, days):
            found[entry] = Change(None, gone=True)
    return found
