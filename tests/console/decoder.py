"""Pictures of what was made, and a decoder of QR codes that reads them as a telephone would."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pypdfium2
import resvg_py
import zxingcpp
from PIL import Image

from console.drawing.fonts import load


def pages(pdf: bytes, scale: float = 2.0) -> list[Any]:
    """A picture a page."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=scale).to_pil() for page in document]


def words(pdf: bytes) -> list[str]:
    """The text of each page, as somebody who searches in it finds it."""
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def picture(svg: str, width: int = 700) -> Any:
    load()
    return Image.open(BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=96, width=width, background="#ffffff"))))


def read(image: Any) -> list[str]:
    """What the QR codes in it say."""
    return [found.text for found in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)]


def across(image: Any) -> float:
    """Width of the one code in it, as a part of the picture's."""
    (found,) = zxingcpp.read_barcodes(image)
    corners = found.position
    return (corners.top_right.x - corners.top_left.x) / image.width
