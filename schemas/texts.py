"""Text of messages.md: made NFC on entry; no control characters; ids without white space around them."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """The text in NFC. Raises ValueError (which names no value) when it holds a control character (category Cc)."""
    if text.isascii():
        if text.isprintable():
            return text
        raise ValueError("text without control characters")
    if any(unicodedata.category(c) == "Cc" for c in text):
        raise ValueError("text without control characters")
    return unicodedata.normalize("NFC", text)


def clean_id(text: str) -> str:
    """As `clean`, and white space at an end is refused: two ids that look alike must not be two places."""
    if text != text.strip():
        raise ValueError("an id without white space around it")
    return clean(text)


def clean_code(text: str) -> str:
    """A person's code as read: something must be left after NFC and strip, without control characters inside."""
    if not clean(unicodedata.normalize("NFC", text).strip()):
        raise ValueError("a code that is not empty")
    return text
