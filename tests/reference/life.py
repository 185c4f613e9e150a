"""Rule 8: the gate, venue alerts and clusters. What stands or is held is `World.exposures`; who of it is held
depends on the way (what was raised before the gate closed stays): only whether it is closed is told here."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.reference.answer import World
from tests.reference.codes import alert_id, canonical
from tests.reference.exposure import cut
from tests.reference.fields import time_text
from tests.reference.messages import Case
from tests.reference.pieces import visits_of
from tests.reference.secondary import others_at
from tests.reference.window import infectious_window, origin

PRE_INFECTIOUS_DAYS = 14


def decision_on(world: World, case: Case) -> str | None:
    """The newest decision decides, at a tie `refuse`."""
    mine = [d for d in world.decisions if d.of == case.case and d.decision in ("release", "refuse")]
    return max(mine, key=lambda d: (d.at, d.decision == "refuse")).decision if mine else None


def gate_is_closed(world: World, case: Case) -> bool:
    """More than `approval_above` F1, and no decision to release stands."""
    many = len(world.f1(case)) > world.policy(case)["contact"]["approval_above"]
    return many and decision_on(world, case) != "release"


def venue_alerts(world: World, case: Case) -> dict[str, dict[str, Any]]:
    """messages.md, `venue-alerts`: one of each infectious visit of a case, cut to the window; id → content."""
    policy = world.policy(case)
    window = infectious_window(case, policy)
    if case.status != "confirmed" or window is None:
        return {}
    person, pieces, f1 = world.person(canonical(case.person)), world.pieces(policy), world.f1(case)
    alerts = {}
    for visit in cut(visits_of(pieces.get(person, ())), window):
        there = others_at(person, visit.venue, visit.span, pieces)
        identity = alert_id(case.case, visit.venue, time_text(visit.start))
        alerts[identity] = {
            "alert_id": identity,
            "case_id": case.case,
            "venue_id": visit.venue,
            "start": time_text(visit.start),
            "end": time_text(visit.end),
            "people": len(there),
            "f1": len(there & f1.keys()),
            "crowd": len(there) > policy["contact"]["crowd_limit"],
            "policy": policy["id"],
        }
    return alerts


class Cluster(NamedTuple):
    venue: str
    start: int
    end: int
    cases: tuple[str, ...]
    source_like: int
    spread_like: int


def clusters(world: World, policy: dict[str, Any]) -> list[Cluster]:
    """`cluster.cases` cases with infectious or pre-infectious pieces at one venue within `cluster.days`.

    Pieces are by each case's own policy; how many cases and days make a cluster is by `policy`. Spans of `days` that
    share a case's piece are one cluster.
    """
    there: dict[str, list[tuple[int, int, Case]]] = {}
    for case in world.cases.values():
        own = world.policy(case)
        window = infectious_window(case, own)
        if case.status != "confirmed" or window is None:
            continue
        wide = (origin(case) - PRE_INFECTIOUS_DAYS * 86400, window[1])
        for piece in cut(world.pieces(own).get(world.person(canonical(case.person)), ()), wide):
            there.setdefault(piece.venue, []).append((piece.start, piece.end, case))
    found = []
    length = policy["cluster"]["days"] * 86400
    for venue, stays in sorted(there.items()):
        groups: list[set[tuple[int, int, Case]]] = []
        for first, _, _ in sorted(stays, key=lambda stay: stay[0]):
            within = {stay for stay in stays if first <= stay[0] < first + length}
            if len({case.case for _, _, case in within}) >= policy["cluster"]["cases"]:
                if groups and groups[-1] & within:
                    groups[-1] |= within
                else:
                    groups.append(within)
        for group in groups:
            before = {c.case for start, _, c in group if start < infectious_start(world, c)}
            after = {c.case for _, end, c in group if end > infectious_start(world, c)}
            cases = tuple(sorted({case.case for _, _, case in group}))
            start, end = min(stay[0] for stay in group), max(stay[1] for stay in group)
            found.append(Cluster(venue, start, end, cases, len(before), len(after)))
    return found


def infectious_start(world: World, case: Case) -> int:
    """onset - before_days."""
    return origin(case) - world.policy(case)["case"]["before_days"] * 86400
