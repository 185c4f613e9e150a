"""Half-open spans of whole seconds, as sorted lists of (start, end) (rules, preface: "All spans are half open")."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same seconds as maximal spans; what touches is one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def common(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Seconds that are in both."""
    others = list(others)
    return union((max(a, c), min(b, d)) for a, b in some for c, d in others)


def without(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Seconds of `some` that are in none of `others`."""
    left = union(some)
    for c, d in union(others):
        left = [piece for a, b in left for piece in ((a, min(b, c)), (max(a, d), b)) if piece[0] < piece[1]]
    return union(left)


def seconds(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in union(spans))


def overlap(a: Span, b: Span) -> bool:
    """They have a second in common."""
    return max(a[0], b[0]) < min(a[1], b[1])
