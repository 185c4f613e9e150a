"""The consumer group: who has which partition. A member that is paused loses its partitions and does not know it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Protocol

Place = tuple[str, int]


class Member(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def paused(self) -> bool: ...
    @property
    def dead(self) -> bool: ...
    def assign(self, claim: Claim) -> None: ...


@dataclass(eq=False)
class Claim:
    """That a member was given a partition. `finished`: nothing of it is in the member's hands any more;
    `abandoned`: the group no longer waits for that."""

    place: Place
    member: Member
    earlier: list[Claim]
    finished: bool = False
    abandoned: bool = False

    def may_start(self) -> bool:
        """Every former owner has finished its batch, or the group does not wait for it.

        A process never has two batches of one partition in hand (the transport sees to that), so its own former claim
        is waited for in any case.
        """
        for claim in self.earlier:
            if claim.finished or claim.member.dead:
                continue
            if claim.member is self.member or not (claim.abandoned or claim.member.paused):
                return False
        return True


class Group:
    """Members, and for each partition its claims in order; the last one is valid."""

    def __init__(self, places: Iterable[Place], rng: Random) -> None:
        self._rng = rng
        self._members: list[Member] = []
        self._claims: dict[Place, list[Claim]] = {place: [] for place in places}

    def join(self, member: Member) -> None:
        self._members.append(member)

    def leave(self, member: Member) -> None:
        if member in self._members:
            self._members.remove(member)

    def holds(self, claim: Claim) -> bool:
        return self._claims[claim.place][-1] is claim

    def in_hand(self, claim: Claim) -> bool:
        """Nobody may start on this partition without abandoning this claim."""
        return not claim.finished and not claim.member.dead

    def unclaimed(self) -> bool:
        """Some partition has no live owner, and somebody could have it."""
        return any(not m.paused for m in self._members) and any(self._free(c) for c in self._claims.values())

    @staticmethod
    def _free(claims: list[Claim]) -> bool:
        return not claims or claims[-1].member.dead or claims[-1].member.paused

    def rebalance(self, *, shuffle: bool, evict: Callable[[], bool]) -> None:
        """Give partitions without a live owner to live members; with `shuffle`, others move too.

        `evict()` says whether the group does not wait until the former owners have finished their batches.
        """
        live = [member for member in self._members if not member.paused]
        if not live:
            return
        for place, claims in self._claims.items():
            free = self._free(claims)
            if not free and not (shuffle and self._rng.random() < 0.5):
                continue
            member = self._rng.choice(live)
            if not free and claims[-1].member is member:
                continue
            if evict():
                for claim in claims:
                    claim.abandoned = True
            claims[:] = [claim for claim in claims if self.in_hand(claim)]
            claims.append(Claim(place, member, claims[:]))
            member.assign(claims[-1])
