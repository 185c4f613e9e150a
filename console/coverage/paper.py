"""A report on paper: A4 pages, a block after the other, none torn apart but tables."""

from __future__ import annotations

from collections.abc import Sequence

from console.coverage.blocks import Cards, Listed, Picture, Report
from console.coverage.charts import WIDTH, cards
from console.coverage.words import Words
from console.drawing.fonts import fitted, folded
from console.drawing.shapes import Drawing, Line, Rect, Text

_PAGE = (210.0, 297.0)
_LEFT, _TOP, _BOTTOM, _GAP = 15.0, 16.0, 281.0, 7.0
_ROW = 5.0
_INK, _GREY = "#1c2327", "#6b767c"


def paper(report: Report, words: Words) -> list[Drawing]:
    """The pages."""
    flow = _Flow()
    flow.put(_head(report))
    for block in report.blocks:
        match block:
            case Cards(rows):
                flow.put(cards(rows))
            case Picture(drawing):
                flow.put(drawing)
            case Listed():
                _table(flow, block)
    for number, made in enumerate(flow.pages, 1):
        mark = f"{words('settling').upper()} · " if report.settling else ""
        right = f"{mark}{words('page')} {number} / {len(flow.pages)}"
        made.add(
            Text(_LEFT, 289, 3, report.foot, fill=_GREY),
            Text(_PAGE[0] - _LEFT, 289, 3, right, "end", fill=_GREY),
        )
    return flow.pages


class _Flow:
    """Fills page after page from above."""

    def __init__(self) -> None:
        self.pages: list[Drawing] = []
        self.y = _BOTTOM

    def room(self) -> float:
        return _BOTTOM - self.y

    def put(self, drawing: Drawing, gap: float = _GAP) -> None:
        if drawing.height > self.room():
            self.pages.append(Drawing(*_PAGE))
            self.y = _TOP
        self.pages[-1].place(drawing, _LEFT, self.y)
        self.y += drawing.height + gap


def _head(report: Report) -> Drawing:
    notes = [(note, folded(note, 3.6, WIDTH - 8)) for note in report.notes]
    head = Drawing(WIDTH, 17 + sum(5 + 4.8 * len(lines) for _, lines in notes))
    head.add(
        Text(0, 7, 8, report.title, bold=True, fill=_INK),
        Text(0, 14, 4.2, fitted(report.about, WIDTH, 1, (4.2, 3.6))[1][0], fill=_GREY),
    )
    y = 17.0
    for _, lines in notes:
        tall = 2.2 + 4.8 * len(lines)
        head.add(Rect(0, y, WIDTH, tall, "#fff4e0"), Rect(0, y, 1.2, tall, "#e08e45"))
        for line in lines:
            y += 4.8
            head.add(Text(4, y, 3.6, line, fill=_INK))
        y += 5
    return head


def _table(flow: _Flow, block: Listed) -> None:
    title = Drawing(WIDTH, 6)
    title.add(Text(0, 4, 4, block.title, bold=True, fill=_INK))
    if flow.room() < 6 + 3 * _ROW:  # no title at a page's foot with its table overleaf
        flow.y = _BOTTOM
    flow.put(title, 1)
    if not block.rows:
        flow.put(_line([block.empty], [0.0], [WIDTH]))
        return
    places, widths = _columns(block)
    flow.put(_line(block.columns, places, widths, bold=True), 0)
    for row in block.rows:
        flow.put(_line(row, places, widths), 0)
    if block.more:
        flow.put(_line([block.more], [0.0], [WIDTH]), 0)
    flow.y += _GAP


def _columns(block: Listed) -> tuple[list[float], list[float]]:
    """(places, widths) by what is in them."""
    longest = [max(len(row[i]) for row in (block.columns, *block.rows)) + 2 for i in range(len(block.columns))]
    widths = [WIDTH * length / sum(longest) for length in longest]
    return [sum(widths[:i]) for i in range(len(widths))], widths


def _line(cells: Sequence[str], places: list[float], widths: list[float], bold: bool = False) -> Drawing:
    made = Drawing(WIDTH, _ROW)
    for cell, x, wide in zip(cells, places, widths, strict=True):
        if cell:
            size, (line, *_) = fitted(cell, wide - 1.5, 1, (3, 2.6), bold=bold)
            made.add(Text(x, 3.5, size, line, bold=bold, fill=_INK))
    made.add(Line(0, _ROW, WIDTH, _ROW, "#d5dbde", 0.15))
    return made
