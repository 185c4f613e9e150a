"""Requests to evaluate: who must be looked at again, for which case."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.encoding import encode
from schemas.evaluate import Evaluate
from streams.ports import Out

# One record stays far below Kafka's limit, and a re-evaluation of everybody is cheaper than of thousands one by one.
MANY = 500


class Triggers:
    """Collects (case, person) and (case, everybody); one record a case."""

    def __init__(self) -> None:
        self._wanted: dict[str, set[str] | None] = {}

    def everybody(self, case_id: str) -> None:
        self._wanted[case_id] = None

    def person(self, case_id: str, pseudonym: str) -> None:
        persons = self._wanted.setdefault(case_id, set())
        if persons is not None:
            persons.add(pseudonym)
            if len(persons) > MANY:
                self._wanted[case_id] = None

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def records(self) -> list[Out]:
        return [
            Out("evaluate", case_id.encode(), encode(Evaluate(case_id, None if persons is None else sorted(persons))))
            for case_id, persons in sorted(self._wanted.items())
        ]


def merged(requests: Iterable[Evaluate]) -> dict[str, set[str] | None]:
    """The requests of one batch, one a case: None = everybody."""
    wanted: dict[str, set[str] | None] = {}
    for request in requests:
        had = wanted.get(request.case_id, set())
        wanted[request.case_id] = None if had is None or request.persons is None else had | set(request.persons)
    return wanted
