"""What an exposure says: from the rules' tables to the message."""

from __future__ import annotations

from schemas.exposure import Advice, Episode, Exposure, ScorePart
from schemas.times import format_time
from streams.rules.advice import advice
from streams.rules.codes import exposure_id, pseudonym_text
from streams.rules.exposure import ExposureTable
from streams.rules.policy import Policy
from streams.rules.score import score
from streams.state.cases import CaseRow
from streams.steps.facts import Known


def contents(
    case: CaseRow,
    table: ExposureTable,
    policy: Policy,
    pseudonyms: list[bytes],
    venues: list[tuple[str, str]],
    known: Known,
) -> dict[bytes, Exposure]:
    """Pseudonym (16 bytes) → exposure of each F1 (rules 5, 7), without revision, status and issued_at.

    `pseudonyms` by the table's person index, `venues` = (venue_id, type) by its venue index; `known` of the F1.
    """
    origin = case.onset_at if case.onset_at is not None else case.sampled_at
    found = {}
    for row in table.f1():
        episodes, parts_in = [], []
        for at in range(row.first_episode, row.last_episode):
            e = table.episode(at)
            venue_id, venue_type = venues[e.venue]
            episodes.append(
                Episode(
                    venue_id=venue_id,
                    venue_type=venue_type,
                    start=format_time(e.start),
                    end=format_time(e.end),
                    direct_seconds=e.direct,
                    indirect_seconds=e.indirect,
                    inferred=e.inferred,
                    conflict=e.conflict,
                    role="staff" if e.staff else "visitor",
                    case_role="staff" if e.case_staff else "visitor",
                )
            )
            parts_in.append((e.start, e.direct, e.indirect, venue_type))
        points = score(parts_in, origin, policy)
        first, last = table.episode(row.first_episode), table.episode(row.last_episode - 1)
        pseudonym = pseudonyms[row.person]
        follow = advice(last.end, policy, first_at=first.start, vaccination=known.vaccinations.get(pseudonym))
        text = pseudonym_text(pseudonym)
        found[pseudonym] = Exposure(
            exposure_id=exposure_id(case.case_id, text),
            revision=0,
            status="",
            case_id=case.case_id,
            person=text,
            level="F1",
            minutes=row.seconds // 60,
            direct_minutes=row.direct // 60,
            indirect_minutes=row.indirect // 60,
            first_at=format_time(first.start),
            last_at=format_time(last.end),
            episodes=episodes,
            score=points.score,
            band=points.band,
            score_parts=[
                ScorePart(
                    episode=i,
                    direct_seconds=p.direct_seconds,
                    indirect_seconds=p.indirect_seconds,
                    infectiousness=p.infectiousness,
                    setting=p.setting,
                    points=p.points,
                )
                for i, p in enumerate(points.parts)
            ],
            advice=Advice(follow.follow_up_until, follow.test_on, follow.reason),
            policy=policy.id,
            certainty=known.certainty.get(pseudonym, "co-presence"),
            issued_at="",
        )
    return found
