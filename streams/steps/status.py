"""What a case's status says, and where the case was: from an evaluation to `case-status` and to clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.case_status import CaseStatus, State
from schemas.times import format_time
from streams.rules.clusters import PRE_INFECTIOUS_DAYS
from streams.rules.days import DAY
from streams.rules.distinct import distinct
from streams.rules.piece_table import visits
from streams.rules.policy import Policy
from streams.state.cases import CaseRow
from streams.state.layout import token_bytes
from streams.state.said import TestRow
from streams.steps.contacts import Scene
from streams.steps.kinds import Presence

NEGATIVE = "negative"


class Situation(NamedTuple):
    """`scene` None: nothing was worked out (withdrawn, an empty window, closed)."""

    state: State
    scene: Scene | None = None
    tests: Sequence[TestRow] = ()


def status(case: CaseRow, policy: Policy, window: tuple[int, int], now: Situation, through: int) -> CaseStatus:
    """Without revision and `evaluated_at`; `f1`, `held` and the gate are the ledger's (verdict.py)."""
    scans = places = 0
    if now.scene is not None:
        second = now.scene.scans.second
        scans = int(((second >= window[0]) & (second < window[1])).sum())
        places = len(distinct(now.scene.pieces.cut(*window).venue))
    return CaseStatus(
        case_id=case.case_id,
        revision=0,
        state=now.state,
        window_start=format_time(window[0]),
        window_end=format_time(window[1]),
        policy=policy.id,
        scans_of_case=scans,
        venues=places,
        f1=0,
        held=0,
        evaluated_at="",
        evaluated_through=format_time(through) if through else None,
        warnings=tuple(_warnings(case, window, now)),
    )


def _warnings(case: CaseRow, window: tuple[int, int], now: Situation) -> list[str]:
    found = []
    if window[1] <= window[0]:
        found.append("empty_window")
    if now.scene is not None:
        if not len(now.scene.scans):
            found.append("no_scans")
        if now.scene.shared:
            found.append("shared_card")
        if now.scene.pieces.cut(*window).conflict.any():
            found.append("conflict")
    for test in now.tests:
        # A result changes no case by itself (issue of the tracer): it is proposed, and the tracer sets `negative_at`.
        if test.result.lower() == NEGATIVE and case.sampled_at < test.sampled_at < window[1]:
            found.append(f"negative_test {format_time(test.sampled_at)}")
    return found


def presence(case: CaseRow, scene: Scene, window: tuple[int, int], policy: Policy, names: dict[bytes, str]) -> Presence:
    """Pieces that begin in [onset − 14 days, end of the window) (clusters.py), joined where they touch."""
    first, last = presence_reach(case, window)
    own = visits(scene.pieces)
    own = own.take((own.start >= first) & (own.start < last))
    tokens = [bytes(token) for token in token_bytes(scene.venues[own.venue])]
    pieces = sorted(
        (names[token], start, end)
        for token, start, end in zip(tokens, own.start.tolist(), own.end.tolist(), strict=True)
    )
    return Presence(case.case_id, window[0], policy.id, pieces, case.person)


def presence_reach(case: CaseRow, window: tuple[int, int]) -> tuple[int, int]:
    """[first, last): when a stay that counts for clusters begins."""
    origin = case.onset_at if case.onset_at is not None else case.sampled_at
    return origin - PRE_INFECTIOUS_DAYS * DAY, window[1]
