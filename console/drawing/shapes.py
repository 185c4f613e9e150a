"""What a drawing is made of. All lengths in millimetres, `y` grows downwards, colours as `#rrggbb`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    fill: str
    title: str = ""
    """What a pointer over it is told (SVG only)."""


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    width: float = 0.3


@dataclass(frozen=True)
class Text:
    """One line; `y` = its base line, `size` = the font's height in mm."""

    x: float
    y: float
    size: float
    text: str
    anchor: Anchor = "start"
    bold: bool = False
    fill: str = "#111111"


@dataclass(frozen=True)
class Modules:
    """The dark squares of a QR code, drawn as one path: single squares would show hair lines between them."""

    x: float
    y: float
    size: float
    rows: tuple[bytes, ...]
    """A byte a module, 1 = dark."""

    def runs(self) -> list[tuple[float, float, float, float]]:
        """(x, y, width, height) of every horizontal run of dark modules."""
        found = []
        for i, row in enumerate(self.rows):
            start = None
            for j, dark in enumerate([*row, 0]):
                if dark and start is None:
                    start = j
                elif not dark and start is not None:
                    found.append(
                        (self.x + start * self.size, self.y + i * self.size, (j - start) * self.size, self.size)
                    )
                    start = None
        return found


Shape = Rect | Line | Text | Modules


@dataclass
class Drawing:
    """`alt`: what it shows, in words, for whoever does not see it."""

    width: float
    height: float
    alt: str = ""
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes += shapes

    def place(self, other: Drawing, x: float, y: float) -> None:
        """Add what another drawing shows, its upper left corner at (x, y)."""
        for shape in other.shapes:
            if isinstance(shape, Line):
                self.add(replace(shape, x1=shape.x1 + x, y1=shape.y1 + y, x2=shape.x2 + x, y2=shape.y2 + y))
            else:
                self.add(replace(shape, x=shape.x + x, y=shape.y + y))
