"""The pictures of a report: how the days went, and bars of parts of a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.drawing.fonts import fitted
from console.drawing.shapes import Drawing, Line, Rect, Text

WIDTH = 180.0
IN, OUT, SETTLING_IN, SETTLING_OUT = "#1f6f8b", "#e08e45", "#a9c9d4", "#f3d4b5"
FULL, REST = "#1f6f8b", "#e3e8ea"
_INK, _GREY = "#1c2327", "#6b767c"
_BAR, _STEP = 3.6, 6.4


class Day(NamedTuple):
    """`label` = as below the bars; `settling` days are drawn pale."""

    label: str
    came: int
    left: int
    settling: bool


class Bar(NamedTuple):
    """A part of a whole. `shown`: what stands at its end."""

    label: str
    part: float
    whole: float
    shown: str


def days(rows: Sequence[Day], title: str, words: tuple[str, str, str]) -> Drawing:
    """Two bars a day. `words`: what in, out and settling are called."""
    height, foot, left, top = 54.0, 48.0, 14.0, 14.0
    chart = Drawing(WIDTH, height, alt=title)
    chart.add(Text(0, 4, 4, title, bold=True, fill=_INK))
    x = 0.0
    for colour, word in ((IN, words[0]), (OUT, words[1]), (SETTLING_IN, words[2])):
        chart.add(Rect(x, 6.4, 3, 3, colour), Text(x + 4.2, 9, 3, word, fill=_GREY))
        x += 36
    highest = _round_up(max([1, *(max(row.came, row.left) for row in rows)]))
    for part in range(3):
        y = foot - (foot - top) * part / 2
        chart.add(Line(left, y, WIDTH, y, "#d5dbde", 0.2))
        chart.add(Text(left - 1.5, y + 1, 2.8, grouped(highest * part // 2), "end", fill=_GREY))
    step = (WIDTH - left) / max(1, len(rows))
    for number, row in enumerate(rows):
        at = left + number * step
        colours = (SETTLING_IN, SETTLING_OUT) if row.settling else (IN, OUT)
        for offset, (figure, colour, word) in enumerate(
            ((row.came, colours[0], words[0]), (row.left, colours[1], words[1]))
        ):
            tall = (foot - top) * figure / highest
            wide = step * 0.36
            told = f"{row.label}: {word} {grouped(figure)}"
            chart.add(Rect(at + step * 0.12 + offset * wide, foot - tall, wide, tall, colour, told))
        chart.add(Text(at + step / 2, foot + 4, 2.8, row.label, "middle", fill=_GREY))
    return chart


def bars(rows: Sequence[Bar], title: str, more: str = "") -> Drawing:
    """One bar a row, the part dark in the pale whole, all on a scale of 0 to 100 % of their own whole.

    `more`: said below, for instance how many rows were left out.
    """
    label, room = 72.0, 70.0
    chart = Drawing(WIDTH, 9 + len(rows) * _STEP + (4 if more else 0), alt=title)
    chart.add(Text(0, 4, 4, title, bold=True, fill=_INK))
    y = 8.5
    for row in rows:
        size, (line, *_) = fitted(row.label, label - 2, 1, (3.2, 2.8))
        share = min(1.0, row.part / row.whole) if row.whole else 0.0
        chart.add(
            Text(0, y + 2.9, size, line, fill=_INK),
            Rect(label, y, room, _BAR, REST),
            Rect(label, y, room * share, _BAR, FULL, f"{row.label}: {row.shown}"),
            Text(label + room + 2, y + 2.9, 3, row.shown, fill=_INK),
        )
        y += _STEP
    if more:
        chart.add(Text(0, y + 2.5, 3, more, fill=_GREY))
    return chart


def cards(rows: Sequence[tuple[str, str]]) -> Drawing:
    """Figures side by side, four in a row: (figure, what it is). For paper; a page has them as text."""
    wide, tall, gap = 42.0, 17.0, 4.0
    lines = -(-len(rows) // 4)
    chart = Drawing(WIDTH, lines * (tall + gap))
    for number, (figure, word) in enumerate(rows):
        x, y = number % 4 * (wide + gap), number // 4 * (tall + gap)
        size, (line, *_) = fitted(word, wide - 5, 1, (3, 2.6, 2.3))
        chart.add(
            Rect(x, y, wide, tall, "#f2f5f6"),
            Text(x + 3, y + 8.5, 6, figure, bold=True, fill=_INK),
            Text(x + 3, y + 13.8, size, line, fill=_GREY),
        )
    return chart


def grouped(number: int | float) -> str:
    """1234567 → 1.234.567, as it is written in Vietnam."""
    return f"{number:,.0f}".replace(",", ".")


def _round_up(number: int) -> int:
    """To one leading digit and an even one, so that the half of it is a round number as well."""
    power = 10 ** (len(str(number)) - 1)
    for step in (2, 4, 6, 8, 10):
        if number <= step * power:
            return int(step * power)
    return 20 * power
