"""What age alone brings to a case (rule 10): it closes, its exposures end with tombstones, its stays are carried on.

Nothing is withdrawn by age. A closed case is not evaluated again; what erasures reach of it goes all the same, and what
lies outside its window after its dates were corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from schemas.case_status import CaseStatus
from schemas.exposure import Exposure
from schemas.times import parse_time
from schemas.venue_alert import VenueAlert
from streams.rules.codes import pseudonym_digest
from streams.rules.days import DAY
from streams.rules.forgetting import carried_on, closes_at, ends_at, first_kept_day
from streams.state.graph import mark_calls
from streams.state.layout import I64, OWN, WATCH, tokens_of
from streams.state.people import PeopleTable
from streams.state.spans import case_token
from streams.state.standing import ALERT, EXPOSURE, PRESENCE, STATUS, STATUS_CODE, Head, Standing
from streams.steps import alerts
from streams.steps.contacts import days_between, local_day
from streams.steps.kinds import KINDS, Presence
from streams.steps.publish import Change
from streams.steps.status import presence_reach
from streams.steps.verdict import ERASED, Verdict, withdrawal
from streams.steps.worker import Worker

# messages.md: a room stays risky for 60 minutes at most. An exposure ends so long after its case's window at most.
LINGER = 3600

PRESENCE_DAYS = 60  # as long as `clusters` itself keeps what is made of it

_GONE = STATUS_CODE["gone"]


class Aged(NamedTuple):
    """Changes of the ledger, and the second at which age alone brings the next one; None = never."""

    changes: dict[bytes, Change]
    again_at: int | None


def open_until(worker: Worker, verdict: Verdict) -> int | None:
    """When an open case closes."""
    return closes_at(verdict.window[0], worker.retention(worker.policies.by_id(verdict.policy)))


async def ended(standing: Standing, worker: Worker, verdict: Verdict, heads: Mapping[bytes, Head]) -> Aged:
    """Of a closed or withdrawn case: what has come to its end, and what an erasure reaches. `heads`: all of the case.

    Withdrawn records end as well, since they name a person too; of a withdrawn case only those, as what still stands is
    withdrawn by the very evaluation that asks.
    """
    now, _ = await worker.now()
    closed = verdict.status.state == "closed"
    bodies = await standing.bodies(verdict.case_id, sorted(e for e in heads if e[:1] in (EXPOSURE, ALERT, PRESENCE)))
    changes: dict[bytes, Change] = {}
    coming = []
    for entry, head in heads.items():
        if head.status == _GONE or entry[:1] not in (EXPOSURE, ALERT, PRESENCE) or (head.stands and not closed):
            continue
        record = KINDS[entry[:1]].decode(bodies[entry]) if entry in bodies else None
        if closed:
            change = _erased(verdict, entry, record, worker.people) if worker.people.any_erased else None
            change = change or (_misplaced(verdict, entry, record, worker.people) if head.stands else None)
            if change is not None:
                changes[entry] = change
                if change.gone:
                    continue
        at = _end(worker, verdict, record)
        if at is not None and at <= now:
            changes[entry] = Change(None, gone=True)
        elif at is not None:
            coming.append(at)
    return Aged(changes, min(coming, default=None))


def _end(worker: Worker, verdict: Verdict, record: Exposure | VenueAlert | Presence | None) -> int | None:
    """The second of its tombstone. What is held (no record), or withdrawn, tells no time: it ends with the last that
    there can be of its case."""
    days = worker.retention(worker.policies.by_id(verdict.policy))
    last = verdict.window[1] + LINGER
    if isinstance(record, Presence):
        return last + max(PRESENCE_DAYS, days + 1) * DAY if days else None
    told = record.last_at if isinstance(record, Exposure) else record.end if isinstance(record, VenueAlert) else None
    return ends_at(_second(told) if told is not None else last, days)


def _erased(
    verdict: Verdict, entry: bytes, record: Exposure | VenueAlert | Presence | None, people: PeopleTable
) -> Change | None:
    """The change that an erasure makes of something of a closed case: it rested on scans that are erased by now.

    Which other scans it rested on as well cannot be told any more, so all of it goes.
    """
    assert verdict.case is not None
    reach = until(people, pseudonym_digest(verdict.case.person))
    if isinstance(record, Presence):
        kept = [stay for stay in record.pieces if stay[1] > reach]
        return Change(msgspec.structs.replace(record, pieces=kept)) if kept != record.pieces else None
    if isinstance(record, VenueAlert):
        gone = record.end is None or _second(record.start) <= reach
        return Change(None, alerts.withdrawal(record), gone=True) if gone and reach > 0 else None
    person = entry[1:]
    reach = max(reach, until(people, person))
    if reach > 0 and (record is None or record.first_at is None or _second(record.first_at) <= reach):
        return Change(None, withdrawal(verdict, person, people, ERASED), gone=True)
    return None


def _misplaced(
    verdict: Verdict, entry: bytes, record: Exposure | VenueAlert | Presence | None, people: PeopleTable
) -> Change | None:
    """The change that a correction of dates makes of something of a closed case: it lies outside the window that the
    case has now. Age corrects nothing, but the desk did; with the dates as they are it would never have been raised.

    What lies inside stands as it is: the scans that would tell how much of it is left are forgotten.
    """
    assert verdict.case is not None
    start, end = verdict.window
    if isinstance(record, Presence):
        first, last = presence_reach(verdict.case, verdict.window)
        kept = [stay for stay in record.pieces if first <= stay[1] < last]
        return Change(msgspec.structs.replace(record, pieces=kept)) if kept != record.pieces else None
    if isinstance(record, VenueAlert) and record.end is not None:
        outside = _second(record.end) <= start or _second(record.start) >= end
        return Change(None, alerts.withdrawal(record)) if outside else None
    if isinstance(record, Exposure) and record.level == "F1" and record.first_at and record.last_at:
        outside = _second(record.last_at) <= start or _second(record.first_at) >= end + LINGER
        return Change(None, withdrawal(verdict, entry[1:], people, "dates_corrected")) if outside else None
    return None


def until(people: PeopleTable, person: bytes) -> int:
    """The last second that erasures reach of any code of a person (pseudonym); 0 = nothing is erased."""
    codes = tokens_of(b"".join(code[:8] for code in people.codes_of(person)))
    return max(0, int(people.erased_until(codes).max()))


def closed_status(new: CaseStatus, last: CaseStatus | None, taken: int) -> CaseStatus:
    """A closed case's status says what its last evaluation found, less what was erased since (`taken` exposures): its
    exposures end one by one, and that is no correction."""
    if last is None:
        return new
    return msgspec.structs.replace(
        new,
        scans_of_case=last.scans_of_case,
        venues=last.venues,
        f1=max(0, (last.f1 or 0) - taken),
        held=last.held,
        warnings=last.warnings,
    )


async def closing(standing: Standing, worker: Worker, verdict: Verdict, heads: Mapping[bytes, Head]) -> Aged:
    """All changes of a closed case. First it is marked whom it names, so that an erasure that comes from here on finds
    it (after a rebuild nothing else would); then it is looked who was erased."""
    assert verdict.case is not None
    persons = sorted(e[1:] for e, head in heads.items() if e[:1] == EXPOSURE and head.revision and head.status != _GONE)
    await _mark(worker, verdict, WATCH, persons)
    await _mark(worker, verdict, OWN, sorted(worker.people.codes_of(pseudonym_digest(verdict.case.person))))
    await worker.people.refresh(worker.store)
    aged = await ended(standing, worker, verdict, heads)
    last = (await standing.bodies(verdict.case_id, [STATUS])).get(STATUS)
    taken = sum(
        entry[:1] == EXPOSURE and change.withdrawal is not None and heads[entry].stands
        for entry, change in aged.changes.items()
    )
    before = KINDS[STATUS].decode(last) if last is not None else None
    aged.changes[STATUS] = Change(closed_status(verdict.status, before, taken))
    return aged


async def _mark(worker: Worker, verdict: Verdict, kind: bytes, persons: list[bytes]) -> None:
    if persons:
        days = days_between(int(local_day(verdict.window[0])), int(local_day(verdict.window[1] + LINGER)))
        tokens = tokens_of(b"".join(person[:8] for person in persons))
        first, last = _column(len(tokens), days[0]), _column(len(tokens), days[-1])
        await worker.store.run(mark_calls(kind, case_token(verdict.case_id), tokens, first, last))


def _column(length: int, value: int) -> I64:
    return days_between(0, length - 1) * 0 + value


async def with_forgotten(worker: Worker, verdict: Verdict, before: bytes | None) -> Presence | None:
    """The presence of an open case: where its scans say it was, and where it was known to be (`before`) on days that
    are forgotten by now. Clusters look back further than scans are kept (rule 8)."""
    found = verdict.presence
    if found is None or not found.person or before is None:
        return found
    had: Presence = KINDS[PRESENCE].decode(before)
    assert verdict.case is not None
    if had.person != found.person:
        return found
    first, last = presence_reach(verdict.case, verdict.window)
    reach = until(worker.people, pseudonym_digest(found.person))
    stays = [stay for stay in had.pieces if first <= stay[1] < last and stay[1] > reach]
    now, _ = await worker.now()
    policy = worker.policies.by_id(verdict.policy)
    margin = policy.staff_dwell + policy.conflict_seconds
    pieces = carried_on(stays, found.pieces, first_kept_day(now, worker.kept_days()), margin)
    return msgspec.structs.replace(found, pieces=pieces)


def _second(text: str) -> int:
    return parse_time(text) // 1000
