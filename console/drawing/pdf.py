"""Drawings as pages of a PDF."""

from __future__ import annotations

from typing import Any, BinaryIO

from console.drawing.fonts import BOLD, REGULAR, load
from console.drawing.shapes import Drawing, Line, Modules, Rect, Shape, Text

_POINT = 72 / 25.4
"""points a millimetre"""


class Pages:
    """`Pages(file, title)`, `add` a drawing a page, `close`. A page is written when the next one begins."""

    def __init__(self, file: BinaryIO, title: str) -> None:
        from reportlab.pdfgen.canvas import Canvas

        load()
        # invariant: the same posters give the same bytes, without the time at which they were made.
        self._canvas: Any = Canvas(file, invariant=True)
        self._canvas.setTitle(title)
        self._canvas.setCreator("truyvet")

    def add(self, drawing: Drawing) -> None:
        canvas = self._canvas
        canvas.setPageSize((drawing.width * _POINT, drawing.height * _POINT))
        canvas.scale(_POINT, _POINT)
        canvas.translate(0, drawing.height)  # a PDF's y grows upwards
        for shape in drawing.shapes:
            self._shape(shape)
        canvas.showPage()

    def close(self) -> None:
        self._canvas.save()

    def _shape(self, shape: Shape) -> None:
        canvas = self._canvas
        match shape:
            case Rect(width=0) | Rect(height=0):
                pass  # viewers draw a hair line for it: a bar of nothing would look like a bar of little
            case Rect(x, y, width, height, fill):
                canvas.setFillColor(fill)
                canvas.rect(x, -y - height, width, height, stroke=0, fill=1)
            case Line(x1, y1, x2, y2, stroke, width):
                canvas.setStrokeColor(stroke)
                canvas.setLineWidth(width)
                canvas.line(x1, -y1, x2, -y2)
            case Text(x, y, size, text, anchor, bold, fill):
                canvas.setFillColor(fill)
                canvas.setFont(BOLD if bold else REGULAR, size)
                draws = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
                draws[anchor](x, -y, text)
            case Modules():
                canvas.setFillColor("#000000")
                path = canvas.beginPath()
                for x, y, width, height in shape.runs():
                    path.rect(x, -y - height, width, height)
                canvas.drawPath(path, stroke=0, fill=1)
