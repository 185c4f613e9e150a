"""F2 of a case on demand: what `truyvet f2`, `truyvet chain` and the desk show. Reads only."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from schemas.times import format_time
from streams.rules.codes import pseudonym_digest, pseudonym_text
from streams.rules.exposure import Episodes
from streams.state.people import representative
from streams.steps.evaluate import Evaluator
from streams.steps.reading import CaseChanged, Found, Looked
from streams.steps.second import Second
from streams.steps.worker import Worker


class Stay(msgspec.Struct, frozen=True):
    """An episode (rule 5): times in UTC, seconds beside the other and after they had left."""

    venue_id: str
    venue_type: str
    start: str
    end: str
    direct_seconds: int
    indirect_seconds: int


class Meeting(msgspec.Struct, frozen=True):
    """Two persons (pseudonyms); the first was the case, or could carry by then. `minutes` of all stays, whole."""

    source: str
    person: str
    level: str
    minutes: int
    stays: list[Stay]


class Crowded(msgspec.Struct, frozen=True):
    """A visit of an F1 that is left out: more than `crowd_limit` others (`people`) were there."""

    person: str
    venue_id: str
    start: str
    end: str
    people: int


class F2(msgspec.Struct, frozen=True):
    """`via`: all F1s through each of whom alone the threshold is reached, sorted."""

    person: str
    via: list[str]


class Chain(msgspec.Struct, frozen=True):
    """Everything within two steps of a case, along paths that go forward in time.

    `state`: `open`, `withdrawn` or `closed`; the latter two have no contacts. `meetings`: of the case with its F1s, and
    of F1s with F2s. `f1`, `f2`, `crowds` sorted by person.
    """

    case_id: str
    person: str
    state: str
    policy: str
    window_start: str
    window_end: str
    crowd_limit: int
    f1: list[str]
    f2: list[F2]
    crowds: list[Crowded]
    meetings: list[Meeting]


class _OnDemand(Evaluator):
    """An Evaluator that writes nothing, and goes one step further."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker, writes=False)

    async def chain(self, case_id: str) -> Chain | None:
        while True:
            try:
                looked = await self.look(case_id)
                if looked is None:
                    return None
                if looked.found is None:
                    return _chain(looked, self._goes_by(looked), [], [], [], [])
                return self._told(looked, looked.found, await self._second(looked, looked.found))
            except CaseChanged:
                continue

    def _goes_by(self, looked: Looked) -> str:
        return pseudonym_text(representative(self.worker.people.codes_of(pseudonym_digest(looked.case.person))))

    def _told(self, looked: Looked, found: Found, second: Second) -> Chain:
        case = self._goes_by(looked)
        places = self._places(found.at, found.names)
        there = self._places(second.scene.venues, second.names)
        first = found.table
        meetings = [
            Meeting(case, text(found.persons[row.person]), "F1", row.seconds // 60, stays)
            for row in first.f1()
            for stays in [_stays(first.episodes, row.first_episode, row.last_episode, places)]
        ]
        met = second.met
        begins = np.searchsorted(met.episodes.person, np.arange(len(met) + 1)).tolist()
        via: dict[str, list[str]] = {}
        carriers = second.f1.person[met.carrier].tolist()
        texts = [text(person) if person else "" for person in second.persons]  # once each: pairs may be many
        for i, (carrier, person) in enumerate(zip(carriers, met.person.tolist(), strict=True)):
            source, to = texts[carrier], texts[person]
            via.setdefault(to, []).append(source)
            stays = _stays(met.episodes, begins[i], begins[i + 1], there)
            meetings.append(Meeting(source, to, "F2", int(met.seconds[i]) // 60, stays))
        crowds = [
            Crowded(
                text(second.persons[crowd.person]),
                there[crowd.venue][0],
                format_time(crowd.start),
                format_time(crowd.end),
                crowd.people,
            )
            for crowd in second.crowds
        ]
        f1 = sorted(text(person) for person in found.persons if person)
        f2 = [F2(person, sorted(sources)) for person, sources in sorted(via.items())]
        return _chain(looked, case, f1, f2, sorted(crowds, key=lambda c: (c.person, c.start, c.venue_id)), meetings)


text: Callable[[bytes], str] = pseudonym_text


def _stays(e: Episodes, first: int, last: int, places: list[tuple[str, str]]) -> list[Stay]:
    return [
        Stay(
            *places[int(e.venue[i])],
            format_time(int(e.start[i])),
            format_time(int(e.end[i])),
            int(e.direct[i]),
            int(e.end[i] - e.start[i] - e.direct[i]),
        )
        for i in range(first, last)
    ]


def _chain(
    looked: Looked, case: str, f1: list[str], f2: list[F2], crowds: list[Crowded], meetings: list[Meeting]
) -> Chain:
    begin, end = looked.window
    return Chain(
        looked.case.case_id,
        case,
        looked.state,
        looked.policy.id,
        format_time(begin),
        format_time(end),
        looked.policy.crowd_limit,
        f1,
        f2,
        crowds,
        meetings,
    )


async def f2_of(worker: Worker, case_id: str) -> Chain | None:
    """F1, F2 and crowds of a case by rule 6, as they are now. None: nobody reported such a case.

    Raises StoreDown, StoreChanged. Nothing is written.
    """
    return await _OnDemand(worker).chain(case_id)
