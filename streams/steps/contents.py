"""What an exposure says: from the rules' tables to the message."""

from __future__ import annotations

from typing import Any

from schemas.exposure import Advice, Episode, Exposure, ScorePart
from schemas.times import format_time
from streams.rules.advice import advice
from streams.rules.codes import exposure_id, pseudonym_text
from streams.rules.exposure import Episode as Shared
from streams.rules.exposure import ExposureTable
from streams.rules.f2 import together
from streams.rules.policy import Policy
from streams.rules.score import Scorer
from streams.state.cases import CaseRow
from streams.steps.facts import Known
from streams.steps.second import Second


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
    found, scorer = {}, Scorer(origin, policy)
    episodes = table.all_episodes()
    for row in table.f1():
        shared = episodes[row.first_episode : row.last_episode]
        parts_in = [(e.start, e.direct, e.indirect, venues[e.venue][1]) for e in shared]
        points = scorer.score(parts_in)
        first, last = shared[0], shared[-1]
        pseudonym = pseudonyms[row.person]
        follow = advice(last.end, policy, first_at=first.start, vaccination=known.vaccinations.get(pseudonym))
        text = pseudonym_text(pseudonym)
        found[pseudonym] = _exposure(
            (case.case_id, text, policy.id),
            (row.seconds, row.direct),
            shared,
            venues,
            level="F1",
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
            certainty=known.certainty.get(pseudonym, "co-presence"),
        )
    return found


def contents_of_f2(
    case: CaseRow, second: Second, policy: Policy, venues: list[tuple[str, str]], known: Known
) -> dict[bytes, Exposure]:
    """The same of each F2, where the policy publishes them (rule 6): what they shared with the F1s of `via`, taken
    together; nobody is scored and nothing is advised. `venues` by the scene's venue number."""
    scene, met = second.scene, second.met
    persons, table = together(met, second.k, scene.pieces, scene.figures, policy, second.order)
    via: dict[int, list[str]] = {}
    for carrier, person in zip(second.f1.person[met.carrier].tolist(), met.person.tolist(), strict=True):
        via.setdefault(person, []).append(pseudonym_text(second.persons[carrier]))
    found = {}
    for i, person in enumerate(persons.tolist()):
        shared = [table.episode(at) for at in range(int(table.first[i]), int(table.last[i]))]
        seconds, direct = int(table.seconds[i]), int(table.direct[i])
        pseudonym = second.persons[person]
        found[pseudonym] = _exposure(
            (case.case_id, pseudonym_text(pseudonym), policy.id),
            (seconds, direct),
            shared,
            venues,
            level="F2",
            via=sorted(via[person]),
            score=None,
            band=None,
            advice=None,
            certainty=known.certainty.get(pseudonym, "co-presence"),
        )
    return found


def _exposure(
    of: tuple[str, str, str],
    seconds: tuple[int, int],
    shared: list[Shared],
    venues: list[tuple[str, str]],
    **more: Any,
) -> Exposure:
    """`of` = case, person, policy; `seconds` = all, and direct ones."""
    case_id, person, policy = of
    all_, direct = seconds
    return Exposure(
        exposure_id=exposure_id(case_id, person),
        revision=0,
        status="",
        case_id=case_id,
        person=person,
        minutes=all_ // 60,
        direct_minutes=direct // 60,
        indirect_minutes=(all_ - direct) // 60,
        first_at=format_time(shared[0].start),
        last_at=format_time(shared[-1].end),
        episodes=_episodes(shared, venues),
        policy=policy,
        issued_at="",
        **more,
    )


def _episodes(shared: list[Shared], venues: list[tuple[str, str]]) -> list[Episode]:
    return [
        Episode(
            venue_id=venues[e.venue][0],
            venue_type=venues[e.venue][1],
            start=format_time(e.start),
            end=format_time(e.end),
            direct_seconds=e.direct,
            indirect_seconds=e.indirect,
            inferred=e.inferred,
            conflict=e.conflict,
            role="staff" if e.staff else "visitor",
            case_role="staff" if e.case_staff else "visitor",
        )
        for e in shared
    ]
