"""From what an evaluation found to what changes in the ledger: withdrawals with reasons, and the gate (rule 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from schemas.case_status import CaseStatus
from schemas.exposure import Exposure
from schemas.venue_alert import VenueAlert
from streams.rules.codes import exposure_id, pseudonym_text
from streams.state.cases import CaseRow
from streams.state.people import PeopleTable, representative
from streams.state.standing import EXPOSURE, NO_BAND, NO_HEAD, PRESENCE, STATUS, Counts, Head
from streams.steps.kinds import Presence
from streams.steps.publish import Change

ERASED = "erased"


class Gate(NamedTuple):
    """`limit` = F1 above which a decision is needed; `decision` = the newest one, None when there is none."""

    limit: int
    decision: str | None = None

    def closed(self, f1: int) -> bool:
        return f1 > self.limit and self.decision != "release"


@dataclass
class Verdict:
    """What must stand for a case.

    `contents`: person (pseudonym, 16 bytes) → exposure. Of the persons in `asked` (None = all) who are not in
    `contents`, nothing may stand; `reason` says why it is withdrawn, unless it hangs on who they are (erased, or now
    one person with somebody). `alerts`, `presence` None: not worked out this time, they stay. `case`, `window`: what it
    was worked out from.
    """

    case_id: str
    asked: set[bytes] | None
    contents: dict[bytes, Exposure]
    policy: str
    reason: str
    gate: Gate
    status: CaseStatus
    alerts: dict[bytes, VenueAlert] | None = None
    presence: Presence | None = None
    case: CaseRow | None = None
    window: tuple[int, int] = (0, 0)


class Planned(NamedTuple):
    """`changes` of the ledger by entry. `everybody`: the gate has opened, and what it held must be looked at."""

    changes: dict[bytes, Change]
    everybody: bool


def plan(verdict: Verdict, heads: Mapping[bytes, Head], counts: Counts, people: PeopleTable) -> Planned:
    """Changes of exposures, status, presence. `heads`: those of the persons asked for (None: all); `counts` before."""
    changes: dict[bytes, Change] = {}
    persons = {entry[1:] for entry in heads if entry[:1] == EXPOSURE} | verdict.contents.keys()
    had = [heads.get(EXPOSURE + person, NO_HEAD) for person in persons]
    others = counts.f1 + counts.held - sum(head.held or (head.stands and head.band != NO_BAND) for head in had)
    held_elsewhere = counts.held - sum(head.held for head in had)
    f1 = others + sum(content.level == "F1" for content in verdict.contents.values())
    closed = verdict.gate.closed(f1)
    held = held_elsewhere
    for person in persons:
        entry = EXPOSURE + person
        head, content = heads.get(entry, NO_HEAD), verdict.contents.get(person)
        behind = content is not None and closed and not head.stands  # F2 as well: who waits is not told through others
        taken = None
        if content is None or (behind and head.unconfirmed):
            level = "F2" if head.stands and head.band == NO_BAND else "F1"
            taken = replace(withdrawal(verdict, person, people), level=level)
        if content is None:
            changes[entry] = Change(None, taken, gone=verdict.reason == ERASED or people.is_erased(person))
        else:
            held += behind
            changes[entry] = Change(content, taken, held=behind)
    state = verdict.status.state
    if state == "open" and closed:
        state = "refused" if verdict.gate.decision == "refuse" else "held"
    status = replace(verdict.status, state=state, f1=f1, held=held)
    changes[STATUS] = Change(status)
    if verdict.presence is not None:
        changes[PRESENCE] = Change(verdict.presence)
    return Planned(changes, everybody=verdict.asked is not None and not closed and held_elsewhere > 0)


def withdrawal(verdict: Verdict, person: bytes, people: PeopleTable, because: str | None = None) -> Exposure:
    """The record that takes an exposure back: no episodes, a reason (messages.md)."""
    text = pseudonym_text(person)
    reason, instead = because or verdict.reason, None
    goes_by = representative(people.codes_of(person))
    if because is None and people.is_erased(person):
        reason = ERASED
    elif because is None and goes_by != person and goes_by in verdict.contents:
        reason, instead = "merged", exposure_id(verdict.case_id, pseudonym_text(goes_by))
    return Exposure(
        exposure_id=exposure_id(verdict.case_id, text),
        revision=0,
        status="",
        case_id=verdict.case_id,
        person=text,
        level="F1",
        policy=verdict.policy,
        reason=reason,
        replaced_by=instead,
        issued_at="",
    )
