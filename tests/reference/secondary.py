"""Rule 6: F2, who shared a venue with an F1 after the F1 met the case."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.reference.answer import World
from tests.reference.codes import canonical
from tests.reference.exposure import cut, episodes_of, reaches_threshold
from tests.reference.messages import Case
from tests.reference.pieces import Piece, visits_of
from tests.reference.spans import Span, overlap
from tests.reference.window import infectious_window


class Crowd(NamedTuple):
    """A visit that is left out of K, since too many others were there."""

    person: str
    venue: str
    span: Span


class Secondary(NamedTuple):
    """`via`: F2 → all F1s through whom, sorted. `k`: F1 → its pieces from which it carries, cut."""

    via: dict[str, list[str]]
    crowds: set[Crowd]
    k: dict[str, list[Piece]]


def others_at(person: str, venue: str, span: Span, pieces: dict[str, list[Piece]]) -> set[str]:
    """Other persons who had an overlapping piece at the venue."""
    return {
        other
        for other, theirs in pieces.items()
        if other != person and any(p.venue == venue and overlap(p.span, span) for p in theirs)
    }


def secondary(world: World, case: Case) -> Secondary:
    """F2 of a case. Paths that go backward in time do not count: K begins when the F1 was first exposed."""
    policy = world.policy(case)
    window = infectious_window(case, policy)
    f1 = world.f1(case)
    if window is None:
        return Secondary({}, set(), {})
    pieces, figures = world.pieces(policy), world.figures(policy)
    person = world.person(canonical(case.person))
    via: dict[str, list[str]] = {}
    crowds: set[Crowd] = set()
    every_k: dict[str, list[Piece]] = {}
    for carrier in sorted(f1):
        quiet = []
        for visit in visits_of(pieces[carrier]):
            if len(others_at(carrier, visit.venue, visit.span, pieces)) > policy["contact"]["crowd_limit"]:
                crowds.add(Crowd(carrier, visit.venue, visit.span))
            else:
                quiet += [p for p in pieces[carrier] if p.venue == visit.venue and overlap(p.span, visit.span)]
        begin = f1[carrier][0].start + policy["contact"]["latency_hours"] * 3600
        k = every_k[carrier] = cut(quiet, (begin, window[1]))
        for other, c in pieces.items():
            if other == person or other in f1:
                continue
            if reaches_threshold(episodes_of(c, k, figures), policy):
                via.setdefault(other, []).append(carrier)
    return Secondary(via, crowds, every_k)


def content(world: World, case: Case, person: str, found: Secondary) -> dict[str, Any]:
    """messages.md, `exposures`: the record of an F2 where the policy publishes them, without what is null. Its episodes
    and minutes are those beside all F1s of `via` together, a second beside two of them once."""
    policy = world.policy(case)
    figures = world.figures(policy)
    k = [piece for carrier in found.via[person] for piece in found.k[carrier]]
    episodes = episodes_of(world.pieces(policy)[person], k, figures)
    judged = world.content(case, person, episodes)
    unknown = ("score", "band", "score_parts", "advice")
    return {
        **{name: value for name, value in judged.items() if name not in unknown},
        "level": "F2",
        "via": found.via[person],
    }
