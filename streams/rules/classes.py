"""Rule 2: which codes are one person. Links and unlinks are sets of facts with times; what stands is worked out.

Codes are pseudonyms as text (`p1…`) throughout, since a person goes by the least of them: the order of the texts is
not the order of the digests (base32 puts a-z before 2-7, ASCII does not).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Link(NamedTuple):
    """`code` and `other` are one person, said at `at`. Undirected. The unit of `at` is the caller's, one for all."""

    code: str
    other: str
    at: int


class Unlink(NamedTuple):
    """No link of `code` with the same or an earlier `at` stands."""

    code: str
    at: int


_Neighbours = Mapping[str, set[str]]


@dataclass(frozen=True)
class LinkSet:
    """A set of links and unlinks; the same facts in any order, any number of times, are the same set (rule 0)."""

    links: frozenset[Link] = frozenset()
    unlinks: frozenset[Unlink] = frozenset()

    @classmethod
    def of(cls, links: Iterable[Link] = (), unlinks: Iterable[Unlink] = ()) -> LinkSet:
        return cls(frozenset(links), frozenset(unlinks))

    def __or__(self, other: LinkSet) -> LinkSet:
        return LinkSet(self.links | other.links, self.unlinks | other.unlinks)

    def standing(self, moment: int | None = None) -> frozenset[Link]:
        """The links that stand, by all facts, or by those up to and including a moment."""
        if moment is None:
            return self._standing
        return _standing(
            (link for link in self.links if link.at <= moment),
            (unlink for unlink in self.unlinks if unlink.at <= moment),
        )

    def members(self, code: str, moment: int | None = None) -> frozenset[str]:
        """All codes of the person who has this one, itself included."""
        return _reached(code, self._now if moment is None else _neighbours(self.standing(moment)))

    def representative(self, code: str, moment: int | None = None) -> str:
        """The pseudonym by which that person goes: the least."""
        return min(self.members(code, moment))

    def ever(self, code: str) -> frozenset[str]:
        """All codes that ever were, or could again become, one person with this one: every link, no unlink.

        A superset of `members` at every moment, which never shrinks: what has to be read or locked with this code.
        """
        return _reached(code, self._ever)

    def representatives(self) -> dict[str, str]:
        """Every code that a standing link names → its representative. A code that is not there stands for itself."""
        found: dict[str, str] = {}
        for code in self._now:
            if code not in found:
                members = self.members(code)
                found.update(dict.fromkeys(members, min(members)))
        return found

    @cached_property
    def _standing(self) -> frozenset[Link]:
        return _standing(self.links, self.unlinks)

    @cached_property
    def _now(self) -> _Neighbours:
        return _neighbours(self._standing)

    @cached_property
    def _ever(self) -> _Neighbours:
        return _neighbours(self.links)


def _standing(links: Iterable[Link], unlinks: Iterable[Unlink]) -> frozenset[Link]:
    parted: dict[str, int] = {}
    for unlink in unlinks:
        parted[unlink.code] = max(unlink.at, parted.get(unlink.code, unlink.at))
    return frozenset(
        link for link in links if all(parted.get(code, link.at - 1) < link.at for code in (link.code, link.other))
    )


def _neighbours(links: Iterable[Link]) -> _Neighbours:
    found: dict[str, set[str]] = {}
    for link in links:
        found.setdefault(link.code, set()).add(link.other)
        found.setdefault(link.other, set()).add(link.code)
    return found


def _reached(code: str, neighbours: _Neighbours) -> frozenset[str]:
    """Links chain: breadth first, so that a long chain needs no deep stack."""
    found, edge = {code}, [code]
    while edge:
        edge = [new for old in edge for new in neighbours.get(old, ()) if new not in found]
        found.update(edge)
    return frozenset(found)
