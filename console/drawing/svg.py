"""A drawing as SVG."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from console.drawing.fonts import FAMILY
from console.drawing.shapes import Drawing, Line, Modules, Rect, Shape, Text


def svg(drawing: Drawing, *, inline: bool = False) -> str:
    """`inline`: as a part of an HTML page, as wide as its place; else a document of its own, in millimetres."""
    size = "" if inline else f' width="{_n(drawing.width)}mm" height="{_n(drawing.height)}mm"'
    box = f'viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg"{size} {box} role="img" aria-label={quoteattr(drawing.alt)}>']
    if not inline:
        lines.append(f"<title>{escape(drawing.alt)}</title>")
    lines.append(f'<g font-family="{FAMILY}">')
    lines += [_shape(shape) for shape in drawing.shapes]
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _shape(shape: Shape) -> str:
    match shape:
        case Rect(x, y, width, height, fill, title):
            inside = f"<title>{escape(title)}</title>" if title else ""
            return (
                f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}">{inside}</rect>'
            )
        case Line(x1, y1, x2, y2, stroke, width):
            ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
            return f'<line {ends} stroke="{stroke}" stroke-width="{_n(width)}"/>'
        case Text(x, y, size, text, anchor, bold, fill):
            weight = ' font-weight="bold"' if bold else ""
            place = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" text-anchor="{anchor}"'
            return f'<text {place}{weight} fill="{fill}">{escape(text)}</text>'
        case Modules():
            path = "".join(f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h)}h-{_n(w)}z" for x, y, w, h in shape.runs())
            return f'<path d="{path}" fill="#000000" shape-rendering="crispEdges"/>'


def _n(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")
