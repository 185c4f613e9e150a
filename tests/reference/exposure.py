"""Rule 5: exposure of one person to one case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.reference.pieces import Figures, Piece
from tests.reference.policies import Policy
from tests.reference.spans import Span, common, overlap, seconds, union, without


class Episode(NamedTuple):
    """A maximal span of C ∩ (prolonged K) at one venue. Fields in the order in which episodes are sorted."""

    start: int
    end: int
    venue: str
    direct: tuple[Span, ...]
    inferred: bool
    conflict: bool
    staff: bool
    case_staff: bool

    @property
    def span(self) -> Span:
        return (self.start, self.end)

    @property
    def direct_seconds(self) -> int:
        return seconds(self.direct)

    @property
    def indirect_seconds(self) -> int:
        return self.end - self.start - self.direct_seconds


def cut(pieces: Iterable[Piece], window: Span) -> list[Piece]:
    """K: the pieces cut to the window, before anything lingers."""
    clipped = [p._replace(start=max(p.start, window[0]), end=min(p.end, window[1])) for p in pieces]
    return [piece for piece in clipped if piece.start < piece.end]


def episodes_of(c: Iterable[Piece], k: Iterable[Piece], figures: Mapping[str, Figures]) -> list[Episode]:
    """Episodes in the order of start, end, venue. Flags: "when a piece of either side under the episode is", a piece
    of the case with the time for which the room stays risky after it."""
    c, k = list(c), list(k)
    found = []
    for venue in {piece.venue for piece in c} & {piece.venue for piece in k}:
        mine = [piece for piece in c if piece.venue == venue]
        theirs = [piece for piece in k if piece.venue == venue]
        linger = figures[venue].linger
        risky = [(piece.start, piece.end + linger) for piece in theirs]
        for span in common([piece.span for piece in mine], risky):
            under = [piece for piece in mine if overlap(piece.span, span)]
            case_under = [p for p, r in zip(theirs, risky, strict=True) if overlap(r, span)]
            direct = common([span], common([p.span for p in mine], [p.span for p in theirs]))
            found.append(
                Episode(
                    *span,
                    venue,
                    tuple(direct),
                    any(piece.inferred for piece in under + case_under),
                    any(piece.conflict for piece in under + case_under),
                    any(piece.staff for piece in under),
                    any(piece.staff for piece in case_under),
                )
            )
    return sorted(found)


class Times(NamedTuple):
    """Seconds of all episodes; each counts once, at however many venues it is spent; direct if direct at any."""

    total: int
    direct: int
    indirect: int


def times_of(episodes: Iterable[Episode]) -> Times:
    episodes = list(episodes)
    every = union(episode.span for episode in episodes)
    direct = union(span for episode in episodes for span in episode.direct)
    return Times(seconds(every), seconds(direct), seconds(without(every, direct)))


def reaches_threshold(episodes: Iterable[Episode], policy: Policy) -> bool:
    """F1: episodes that start in some [s, s + within_hours), s being an episode's start; each counts whole."""
    episodes = list(episodes)
    within = policy["contact"]["within_hours"] * 3600
    needed = policy["contact"]["min_minutes"] * 60
    return any(
        seconds(e.span for e in episodes if first.start <= e.start < first.start + within) >= needed
        for first in episodes
    )
