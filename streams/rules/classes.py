"""Rule 2: several codes that belong to one person. Links and unlinks are facts; who is one person follows from them.

A link of two codes stands unless an unlink of either has the same or a later `at`. At an earlier moment it stood when
it had been made by then and no unlink between. Nothing is ever taken out of the set: any order of arrival is the same.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from math import inf

Code = bytes  # a pseudonym, 16 bytes


class Links:
    """The graph of codes, built up one fact at a time. An ask walks it from one code, and costs what its class does."""

    def __init__(self) -> None:
        self._at: dict[Code, dict[Code, list[int]]] = {}
        self._unlinked: dict[Code, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._at)

    def link(self, a: Code, b: Code, at: int) -> None:
        if a == b:
            return
        for one, other in ((a, b), (b, a)):
            times = self._at.setdefault(one, {}).setdefault(other, [])
            if at not in times:
                insort(times, at)

    def unlink(self, code: Code, at: int) -> None:
        times = self._unlinked.setdefault(code, [])
        if at not in times:
            insort(times, at)

    @property
    def codes(self) -> Iterable[Code]:
        """Every code that was ever linked."""
        return self._at.keys()

    def component(self, code: Code) -> set[Code]:
        """Everybody whom a chain of links reaches, those that were undone included: all whom a fact can concern."""
        return self._walk(code, lambda code: self._at.get(code, {}))

    def members(self, code: Code, moment: float = inf) -> set[Code]:
        """The codes that belong to one person with this one: now, or as it was at a moment (`at` of the same unit)."""
        if code not in self._at:  # most are linked to nobody, and a case asks for each of its thousands
            return {code}
        return self._walk(code, lambda code: self._neighbours(code, moment))

    def _neighbours(self, code: Code, moment: float) -> Iterator[Code]:
        for other, times in self._at.get(code, {}).items():
            made = [at for at in times if at <= moment]
            if made and not any(self._parted(c, made[-1], moment) for c in (code, other)):
                yield other

    def _parted(self, code: Code, since: int, moment: float) -> bool:
        """Whether an unlink lies in [since, moment]."""
        times = self._unlinked.get(code, [])
        at = bisect_left(times, since)
        return at < len(times) and times[at] <= moment

    @staticmethod
    def _walk(start: Code, neighbours: Callable[[Code], Iterable[Code]]) -> set[Code]:
        found, ahead = {start}, [start]
        while ahead:
            for other in neighbours(ahead.pop()):
                if other not in found:
                    found.add(other)
                    ahead.append(other)
        return found
