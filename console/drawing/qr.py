"""A QR code as a shape."""

from __future__ import annotations

from console.drawing.shapes import Modules

QUIET = 4
"""modules of white around it that a decoder needs (ISO/IEC 18004)"""


class TooLong(ValueError):
    """More than a QR code holds. The text is not repeated: it may be a person's code."""


def qr(text: str, x: float, y: float, size: float) -> Modules:
    """The code of a text, `size` wide without its quiet zone, which the caller leaves white. Raises TooLong.

    A quarter of it may be torn or dirty (error correction Q), or a seventh where it would be too long for that.
    """
    import segno

    for level in ("q", "m"):
        try:
            # Said, not chosen by segno: it takes Latin-1 where it can, and phones guess the rest.
            made = segno.make(text, error=level, micro=False, encoding=None if text.isascii() else "utf-8")
            break
        except segno.DataOverflowError:
            continue
    else:
        raise TooLong("too long for a QR code")
    rows = tuple(bytes(row) for row in made.matrix)
    return Modules(x, y, size / len(rows), rows)
