"""Which of two records counts: rule 7 (vaccinations), rule 8 (decisions), messages.md (registries)."""

from __future__ import annotations

from typing import Any

import pytest

from streams.state.said import DecisionRow, VaccinationRow
from streams.steps.winners import beats

AT = 1_700_000_000


class NoLog:
    """Has no old record any more."""

    async def origin(self, *_: Any) -> bytes | None:
        return None


def vaccination(at: int, updated_s: int, digest: bytes = b"a") -> VaccinationRow:
    return VaccinationRow(updated_s * 1000, digest, ("people", 0, 0), 2, 1, at)


def decision(at: int, word: str, ms: int = 0, updated_s: int | None = None) -> DecisionRow:
    return DecisionRow((at if updated_s is None else updated_s) * 1000 + ms, word.encode(), ("d", 0, 0), word, "x", at)


@pytest.mark.parametrize(
    ("greater", "less"),
    [
        # Rule 7: the newest `at` counts, also where an older one was touched later.
        (vaccination(AT + 9, AT + 9), vaccination(AT, AT + 99, b"b")),
        (vaccination(AT, AT + 9), vaccination(AT, AT, b"b")),
        # Rule 8: the newest decision, at a tie of the second `refuse`.
        (decision(AT + 9, "release"), decision(AT, "refuse", updated_s=AT + 99)),
        (decision(AT, "refuse", 100), decision(AT, "release", 900)),
        (decision(AT, "dismiss"), decision(AT, "confirm")),
        # A record that was corrected: the same `at`, updated later.
        (decision(AT, "confirm", updated_s=AT + 5), decision(AT, "dismiss")),
    ],
)
async def test_the_greater(greater: Any, less: Any) -> None:
    assert await beats(NoLog(), greater, b"", less)  # type: ignore[arg-type]
    assert not await beats(NoLog(), less, b"", greater)  # type: ignore[arg-type]
