"""The venues of a made-up province, over communes with codes that no real one has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from console.province.draws import Draws, Ints, Mask
from console.province.kinds import INDEX, KINDS

PROVINCE = "99"
UNREGISTERED_EVERY = 90
"""One venue in so many hangs up a poster and never registers: its scans count as type `other` (rule 1)."""
_POPULARITY = 720


@dataclass(frozen=True)
class Venues:
    """All venues, sorted by kind, then commune. Arrays have one entry a venue; ids are unique."""

    ids: list[str]
    kind: Ints
    commune: Ints
    guarded: Mask
    crowd: Ints
    """how much it draws people, against others of its kind"""
    running: Ints
    """running sum of `crowd`, with a leading 0: venue v is drawn by numbers in [running[v], running[v+1])"""
    first: Ints
    """shape (kinds, communes + 1): the first venue of a kind in a commune; the last column ends the kind"""
    communes: int

    def messages(self, registered_at: int) -> list[dict[str, Any]]:
        """The `venues` messages in venue order; `registered_at` = the first one's, in ms. Some never register."""
        rows = []
        for v, venue_id in enumerate(self.ids):
            if v % UNREGISTERED_EVERY == UNREGISTERED_EVERY - 1:
                continue
            kind = KINDS[int(self.kind[v])]
            commune = _code(int(self.commune[v]))
            row: dict[str, Any] = {
                "venue_id": venue_id,
                "name": f"{kind.label} số {v + 1}",
                "type": kind.type,
                "organisation": f"org-{commune}-{kind.short}",
                "province": PROVINCE,
                "commune": commune,
                # A raft of invented coordinates out at sea: no map shows a real address for them.
                "lat": (1_100_000 + v * 37 % 20_000) / 100_000,
                "lon": (11_200_000 + v * 53 % 20_000) / 100_000,
                "capacity": 20 + v * 13 % 480,
                "status": "closed" if v % 251 == 250 else "open",
                "registered_at": registered_at + v * 1000,
            }
            row.update(_own_figures(v, kind.type))
            rows.append(row)
        return rows


def _own_figures(v: int, kind: str) -> dict[str, int]:
    """A few venues know better than their type how long people stay (rule 3) and how long the air lingers (rule 5)."""
    figures: dict[str, int] = {}
    if v % 17 == 3:
        figures["dwell_minutes"] = 25 + v % 50
    if v % 29 == 5:
        figures["max_stay_minutes"] = 200 + v % 300
    if kind in ("bar", "vehicle", "lodging") and v % 5 == 1:
        figures["linger_minutes"] = 10 + v % 20
    return figures


def _code(commune: int) -> str:
    return f"{PROVINCE}{commune:03d}"


def make_venues(seed: int, count: int, people: int) -> Venues:
    """`count` venues (at least one of each type). About one commune for every 1,200 people."""
    draws = Draws(seed, 1)
    communes = max(3, people // 1200)
    per_kind = _counts(count)
    kind = np.repeat(np.arange(len(KINDS), dtype=np.int64), per_kind)
    # The first communes are the towns: low numbers are drawn more often.
    commune = np.minimum(draws.below(communes, count), draws.below(communes, count))
    order = np.lexsort((commune, kind))
    kind, commune = kind[order], commune[order]
    guarded_share = np.array([k.guarded for k in KINDS], dtype=np.int64)[kind]
    guarded = draws.chance(guarded_share, count)
    # The n-th place of a kind draws 1/n of what the first does; the floor keeps every place alive.
    rank = np.empty(count, dtype=np.int64)
    start = 0
    for many in per_kind.tolist():
        rank[start : start + many] = draws.shuffled(many)
        start += many
    crowd = _POPULARITY // (rank + 1) + 24
    first = np.searchsorted(kind * (communes + 1) + commune, _corners(communes), side="left").astype(np.int64)
    places = enumerate(zip(kind.tolist(), commune.tolist(), strict=True), 1)
    ids = [f"{_code(c)}-{KINDS[k].short}-{v:05d}" for v, (k, c) in places]
    running = np.concatenate(([0], np.cumsum(crowd))).astype(np.int64)
    return Venues(ids, kind, commune, guarded, crowd, running, first, communes)


def _corners(communes: int) -> Ints:
    return (np.arange(len(KINDS))[:, None] * (communes + 1) + np.arange(communes + 1)[None, :]).astype(np.int64)


def _counts(count: int) -> Ints:
    """How many venues of each kind: its share, at least one, and `count` in all (shops take the difference)."""
    counts = np.array([max(1, count * kind.share // 10_000) for kind in KINDS], dtype=np.int64)
    shops = INDEX["shop"]
    counts[shops] += count - int(counts.sum())
    while counts[shops] < 1:
        largest = int(np.argmax(counts))
        counts[largest] -= 1
        counts[shops] += 1
    return counts


def choose(draws: Draws, venues: Venues, kind: Ints, commune: Ints, local: int) -> Ints:
    """A venue of each wanted kind: with a share `local` of 10,000 in the wanted commune (if it has one), else anywhere.

    `kind` and `commune` have one entry a choice; the answer too.
    """
    size = len(kind)
    low, high = venues.first[kind, commune], venues.first[kind, commune + 1]
    away = ~draws.chance(local, size) | (low == high)
    low = np.where(away, venues.first[kind, 0], low)
    high = np.where(away, venues.first[kind, -1], high)
    base = venues.running[low]
    drawn = base + draws.below(venues.running[high] - base, size)
    return (np.searchsorted(venues.running, drawn, side="right") - 1).astype(np.int64)
