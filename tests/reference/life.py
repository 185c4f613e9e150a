"""Rule 8: the gate, alerts, case status, follow-ups and clusters. What stands or is held is `World.exposures`. Who of
it is held depends on the way (what was raised before the gate closed stays); here is told whether it is closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tests.reference.acceptance import Fact
from tests.reference.answer import World
from tests.reference.codes import alert_id, canonical, cluster_id
from tests.reference.exposure import cut
from tests.reference.fields import time_text
from tests.reference.messages import Case
from tests.reference.pieces import Piece, visits_of
from tests.reference.policies import Policy
from tests.reference.secondary import others_at
from tests.reference.window import infectious_window, origin, told_window

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


def case_status(world: World, case: Case) -> dict[str, Any]:
    """messages.md, `case-status`, without what tells the path (who is held, when it was evaluated). Of the warnings
    those of the window: that it is empty, or that it has pieces in conflict."""
    policy = world.policy(case)
    begin, end = told_window(case, policy)
    state, scans, pieces = "open", set[Fact](), list[Piece]()
    if case.status != "confirmed":
        state = "withdrawn"
    elif begin < end:
        person = world.person(canonical(case.person))
        scans = {s for s in world.scans if world.person(s.code) == person and begin <= s.second < end}
        pieces = cut(world.pieces(policy).get(person, ()), (begin, end))
        if gate_is_closed(world, case):
            state = "refused" if decision_on(world, case) == "refuse" else "held"
    return {
        "case_id": case.case,
        "state": state,
        "window_start": time_text(begin),
        "window_end": time_text(end),
        "policy": policy["id"],
        "scans_of_case": len(scans),
        "venues": len({piece.venue for piece in pieces}),
        "f1": len(world.f1(case)),
        "warnings": ["empty_window"] * (begin >= end) + ["conflict"] * any(piece.conflict for piece in pieces),
    }


def followups(exposures: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """messages.md, `followups`: of the exposures that stand, one notice a person; person → content."""
    of: dict[str, list[dict[str, Any]]] = {}
    for exposure in exposures:
        if exposure["level"] == "F1":
            of.setdefault(exposure["person"], []).append(exposure)
    return {
        person: {
            "person": person,
            "exposures": sorted(exposure["exposure_id"] for exposure in some),
            "band": min((exposure["band"] for exposure in some), key=("high", "medium", "low").index),
            "follow_up_until": max(exposure["advice"]["follow_up_until"] for exposure in some),
            "test_on": max(exposure["advice"]["test_on"] for exposure in some),
        }
        for person, some in of.items()
    }


class Stay(NamedTuple):
    """A visit of a case that counts for clusters; `policy` = the case's own."""

    case: Case
    start: int
    end: int
    policy: Policy


def clusters(world: World) -> dict[str, dict[str, Any]]:
    """messages.md, `clusters`: `cluster.cases` cases with infectious or pre-infectious visits at one venue within
    `cluster.days`; id → content. What rule 8 leaves open is read as streams/rules/clusters.py says."""
    there: dict[str, list[Stay]] = {}
    for case in world.cases.values():
        own = world.policy(case)
        window = infectious_window(case, own)
        if case.status != "confirmed" or window is None:
            continue
        for visit in visits_of(world.pieces(own).get(world.person(canonical(case.person)), ())):
            if origin(case) - PRE_INFECTIOUS_DAYS * 86400 <= visit.start < window[1]:
                there.setdefault(visit.venue, []).append(Stay(case, visit.start, visit.end, own))
    found = {}
    for venue, stays in there.items():
        # The newest policy of the cases that were there decides; at a tie the greater id (rule 9).
        policy = max((stay.policy for stay in stays), key=lambda policy: (policy["in_force_from"], policy["id"]))
        for group in _groups(stays, policy["cluster"]["cases"], policy["cluster"]["days"] * 86400):
            start = time_text(min(stay.start for stay in group))
            identity = cluster_id(venue, start)
            found[identity] = {
                "cluster_id": identity,
                "venue_id": venue,
                "from": start,
                "to": time_text(max(stay.end for stay in group)),
                "cases": sorted({stay.case.case for stay in group}),
                "source_like": len({s.case.case for s in group if s.start < infectious_start(s)}),
                "spread_like": len({s.case.case for s in group if s.start >= infectious_start(s)}),
                "policy": policy["id"],
            }
    return found


def _groups(stays: list[Stay], cases: int, length: int) -> list[list[Stay]]:
    """Full windows (they begin with a stay) and, where two of them share a stay, all of theirs together."""
    windows = [[s for s in stays if first.start <= s.start < first.start + length] for first in stays]
    groups: list[list[Stay]] = []
    for window in windows:
        if len({stay.case.case for stay in window}) < cases:
            continue
        joined = [group for group in groups if any(stay in group for stay in window)]
        groups = [group for group in groups if group not in joined]
        whole = [stay for group in joined for stay in group]
        groups.append(whole + [stay for stay in window if stay not in whole])
    return groups


def infectious_start(stay: Stay) -> int:
    """onset - before_days."""
    return origin(stay.case) - stay.policy["case"]["before_days"] * 86400
