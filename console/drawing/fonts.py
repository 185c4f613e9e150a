"""Roboto, which has every letter of Vietnamese, from the package font-roboto: embedded in PDFs, measured for both."""

from __future__ import annotations

from functools import cache
from pathlib import Path

REGULAR, BOLD = "Roboto", "Roboto-Bold"
FAMILY = "Roboto, 'Noto Sans', 'Segoe UI', Arial, sans-serif"
"""For SVG and HTML, where the font is the reader's."""


@cache
def load() -> None:
    """Make the fonts known to reportlab; its own have no Vietnamese letters."""
    import font_roboto
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(font_roboto.__file__).parent / "files"
    for name, file in ((REGULAR, "Roboto-Regular.ttf"), (BOLD, "Roboto-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Of one line, in the unit of `size`."""
    from reportlab.pdfbase import pdfmetrics

    load()
    return float(pdfmetrics.stringWidth(text, BOLD if bold else REGULAR, size))


def folded(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """The text in lines of at most `room`; a word that is longer than a line is cut."""
    lines, line = [], ""
    for word in text.split():
        tried = f"{line} {word}".strip()
        if width(tried, size, bold=bold) <= room:
            line = tried
            continue
        if line:
            lines.append(line)
        while width(word, size, bold=bold) > room and len(word) > 1:
            fits = len(word) - 1
            while fits > 1 and width(word[:fits], size, bold=bold) > room:
                fits -= 1
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line] if line else lines


def fitted(
    text: str, room: float, lines: int, sizes: tuple[float, ...], *, bold: bool = False
) -> tuple[float, list[str]]:
    """(size, one line or more): the first of the sizes, largest first, at which it takes no more; else cut with `…`."""
    for size in sizes:
        found = folded(text, size, room, bold=bold)
        if len(found) <= lines:
            return size, found or [""]
    kept = found[:lines]
    last = kept[-1]
    while last and width(last + "…", size, bold=bold) > room:
        last = last[:-1]
    return size, [*kept[:-1], last + "…"]
