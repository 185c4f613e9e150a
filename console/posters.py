"""The pages: a poster of a venue on A4, a personal card of 85.6 x 54 mm (the size of a bank card)."""

from __future__ import annotations

from console.drawing.fonts import fitted
from console.drawing.qr import QUIET, TooLong, qr
from console.drawing.shapes import Drawing, Rect, Text

QR_MM = 150.0
"""The code of a poster without its quiet zone: read from 1.5 m, over the shoulders of a queue (10 : 1)."""

_WIDTH, _HEIGHT = 210.0, 297.0
_QR_TOP = 46.0
_CARD = (85.6, 53.98)
_CARD_QR = 38.0
_LEAST_MODULE = 0.33
"""Smaller dark squares than this the hand scanners of guards do not read."""
_GREY = "#444444"


def poster(venue_id: str, name: str, text: str) -> Drawing:
    """A4 upright: what to do, the code of `text`, the venue's name. Raises console.drawing.qr.TooLong."""
    code = qr(text, (_WIDTH - QR_MM) / 2, _QR_TOP, QR_MM)
    page = Drawing(_WIDTH, _HEIGHT, alt=f"Mã QR của {name}")
    page.add(
        Rect(0, 0, _WIDTH, _HEIGHT, "#ffffff"),
        Text(_WIDTH / 2, 21, 10.5, "QUÉT MÃ KHI ĐẾN VÀ KHI RỜI ĐI", "middle", bold=True),
        code,
    )
    below = _QR_TOP + QR_MM + QUIET * code.size
    size, lines = fitted(name, _WIDTH - 30, 2, (13, 11, 9, 7.5), bold=True)
    y = below + size
    for line in lines:
        page.add(Text(_WIDTH / 2, y, size, line, "middle", bold=True))
        y += size * 1.2
    y = max(y - size * 1.2, below + 20) + 13
    for line in (
        "1. Mở ứng dụng khai báo y tế hoặc máy ảnh và đưa vào mã này.",
        "2. Quét một lần khi đến, một lần khi rời đi. Mỗi người tự quét.",
        "3. Dữ liệu chỉ dùng để truy vết dịch bệnh.",
    ):
        page.add(Text(24, y, 6, line))
        y += 8.5
    small = fitted(f"Mã địa điểm: {venue_id}", _WIDTH - 48, 1, (4,))[1][0]
    page.add(
        Text(24, y + 1, 4, "Scan when you arrive and when you leave.", fill=_GREY),
        Text(24, _HEIGHT - 9, 4, small, fill=_GREY),
    )
    return page


def card(code: str, label: str = "") -> Drawing:
    """A card with a person's code, for a guard to scan. Nothing of the code is printed in letters.

    Raises console.drawing.qr.TooLong.
    """
    width, height = _CARD
    made = qr(code, 8, 8, _CARD_QR)
    if made.size < _LEAST_MODULE:
        raise TooLong("too long for a card")
    page = Drawing(width, height, alt="Thẻ mã QR cá nhân")
    page.add(Rect(0, 0, width, height, "#ffffff"), made)
    x, room = 8 + _CARD_QR + 8, width - 8 - _CARD_QR - 8 - 3
    y = 12.0
    for text, size, lines, bold in (
        ("THẺ QUÉT MÃ CÁ NHÂN", 4.2, 2, True),
        (label, 3.6, 3, False),
        ("Đưa mã này cho người quét khi đến và khi rời đi.", 3.0, 4, False),
        ("Không chụp ảnh, không chia sẻ.", 3.0, 2, False),
    ):
        if text:
            size, found = fitted(text, room, lines, (size,), bold=bold)
            for line in found:
                page.add(Text(x, y, size, line, bold=bold))
                y += size * 1.25
            y += 1.2
    return page
