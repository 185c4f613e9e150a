"""Venue alerts (rule 8): what the infectious visits of a case say about the places, at most one revision in 30 s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas.times import format_time, parse_time
from schemas.venue_alert import VenueAlert
from streams.rules.alerts import visits_with_people
from streams.rules.codes import alert_id
from streams.rules.policy import Policy
from streams.state.layout import Mask, token_bytes
from streams.state.standing import ALERT, NO_HEAD, STATUS_CODE, Head
from streams.steps.contacts import Scene
from streams.steps.kinds import digest
from streams.steps.publish import Change

GONE = STATUS_CODE["gone"]


def alerts(
    case_id: str,
    case: Scene,
    others: Scene,
    is_f1: Mask,
    window: tuple[int, int],
    policy: Policy,
    names: dict[bytes, str],
) -> dict[bytes, VenueAlert]:
    """Ledger entry → alert, of each visit of the case cut to its window. `is_f1` by the person index of `others`."""
    of_venue = {int(token): i for i, token in enumerate(others.venues.tolist())}
    found = {}
    for visit in visits_with_people(
        case.pieces, window, others.pieces, is_f1, [of_venue.get(int(t), -1) for t in case.venues]
    ):
        venue_id = names[bytes(token_bytes(case.venues[visit.venue : visit.venue + 1])[0])]
        start = format_time(visit.start)
        alert = VenueAlert(
            alert_id=alert_id(case_id, venue_id, start),
            revision=0,
            status="raised",
            case_id=case_id,
            venue_id=venue_id,
            start=start,
            end=format_time(visit.end),
            people=visit.people,
            f1=visit.f1,
            crowd=visit.people > policy.crowd_limit,
            policy=policy.id,
            issued_at="",
        )
        found[ALERT + bytes.fromhex(alert.alert_id)] = alert
    return found


class Alerted(NamedTuple):
    """Changes of the ledger, and when (ms) to look at the case again for those that come too early; None = never."""

    changes: dict[bytes, Change]
    again_at: int | None


def changes(
    heads: Mapping[bytes, Head],
    last: Mapping[bytes, VenueAlert],
    wanted: Mapping[bytes, VenueAlert],
    now_ms: int,
    pause_ms: int,
    *,
    erased: bool = False,
) -> Alerted:
    """What may be written now. `last` = the records that were published last, by entry.

    `erased`: the case's person was erased. Then what is not wanted ends with a tombstone, at once; what is wanted all
    the same, by scans after the erasure, keeps to the pause.
    """
    found: dict[bytes, Change] = {}
    again: list[int] = []
    for entry in last.keys() | wanted.keys():
        head, had, want = heads.get(entry, NO_HEAD), last.get(entry), wanted.get(entry)
        if want is None and not head.stands and not head.unconfirmed and not (erased and head.status != GONE):
            continue
        if want is not None and head.stands and not head.unconfirmed and digest(want) == head.digest:
            continue
        if had is not None and had.issued_at and not (erased and want is None):
            early = parse_time(had.issued_at) + pause_ms
            if now_ms < early:
                again.append(early)
                continue
        found[entry] = Change(want, withdrawal(had) if had is not None else None, gone=erased)
    return Alerted(found, min(again) if again else None)


def withdrawal(had: VenueAlert) -> VenueAlert:
    return VenueAlert(
        alert_id=had.alert_id,
        revision=0,
        status="withdrawn",
        case_id=had.case_id,
        venue_id=had.venue_id,
        start=had.start,
        issued_at="",
    )
