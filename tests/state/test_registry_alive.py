"""A slice of a registry's records tells the watchdog about each: half a minute for a few dozen is no hang."""

from __future__ import annotations

from typing import Any

from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers


class Noting(RegistryStep):
    def __init__(self, events: list[str]) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._events = events

    async def _take(self, message: Any, topic: str, triggers: Triggers) -> None:
        self._events.append(message)


async def test_a_sign_of_life_after_each() -> None:
    events: list[str] = []
    some: Any = ["one", "two"]
    found = await Noting(events)._take_all(some, "decisions", Triggers(), lambda: events.append("alive"))
    assert events == ["one", "alive", "two", "alive"] and found == [None, None]
