"""JSON, texts and times of messages.md. Everything here raises NotJson or Schema, which are the reasons of rule 1."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import datetime, timedelta
from typing import Any

ABSURD = 128


class NotJson(Exception):
    """Rule 1, `not_json`."""


class Schema(Exception):
    """Rule 1, `schema`."""


def read_json(value: bytes | None) -> Any:
    """Rule 1: JSON in UTF-8; NaN, bad UTF-8 and absurd nesting are none. How deep that is the rule does not say:
    ABSURD, which is ours."""

    def no_constant(_name: str) -> Any:
        raise ValueError("NaN and Infinity are not JSON")

    def whole(digits: str) -> Any:
        # Python refuses to read a number of thousands of digits, which is JSON all the same.
        return int(digits) if len(digits) < 1000 else 10**1000

    try:
        text = (value or b"").decode("utf-8")
        if _deep(text):
            raise NotJson
        return json.loads(text, parse_constant=no_constant, parse_int=whole)
    except (ValueError, RecursionError):
        raise NotJson from None


def _deep(text: str) -> bool:
    """More than ABSURD brackets are open somewhere, those in strings not counted."""
    if text.count("[") + text.count("{") <= ABSURD:
        return False
    depth = most = 0
    for sign in re.sub(r'"(?:[^"\\]|\\.)*"', "", text, flags=re.DOTALL):
        depth += (sign in "[{") - (sign in "]}")
        most = max(most, depth)
    return most > ABSURD


def check_version(headers: Any, name: str) -> None:
    """messages.md, Versions: `tv-schema` names the version; absent = 1; an unknown major version is `schema`."""
    for key, content in headers:
        if key == "tv-schema" and content.split(b".")[0] != f"{name}/1".encode():
            raise Schema


class Fields:
    """An object's fields. An optional field that is null is absent (messages.md)."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise Schema
        self._content = content

    def _get(self, name: str, needed: bool) -> Any:
        found = self._content.get(name)
        if found is None and needed:
            raise Schema
        return found

    def text(self, name: str, most: int, *, least: int = 1, needed: bool = True) -> str | None:
        """NFC; no control characters."""
        found = self._get(name, needed)
        return None if found is None else _text(found, least, most)

    def identifier(self, name: str, *, needed: bool = True) -> str | None:
        """1 to 64 characters; with white space around them refused."""
        found = self.text(name, 64, needed=needed)
        if found is not None and found != found.strip():
            raise Schema
        return found

    def code(self, name: str) -> str:
        """Rule 2: a person's code as read: NFC, white space at both ends goes; empty is `schema`."""
        found = self._get(name, True)
        if not isinstance(found, str) or len(found) > 1024:
            raise Schema
        return _text(unicodedata.normalize("NFC", found).strip(), 1, 1024)

    def open_word(self, name: str, words: tuple[str, ...], *, needed: bool = False) -> str | None:
        """An open list takes an unknown value as `other`."""
        found = self._get(name, needed)
        if found is not None and not isinstance(found, str):
            raise Schema
        return found if found is None or found in words else "other"

    def word(self, name: str, words: tuple[str, ...], default: str | None = None) -> str:
        """A closed list refuses an unknown value. No default: the field is needed."""
        found = self._get(name, default is None)
        if found is None:
            assert default is not None
            return default
        if not isinstance(found, str) or found not in words:
            raise Schema
        return found

    def truth(self, name: str) -> bool:
        found = self._get(name, False)
        if found is not None and not isinstance(found, bool):
            raise Schema
        return bool(found)

    def whole(self, name: str, least: int, most: int, *, needed: bool = False) -> int | None:
        found = self._get(name, needed)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise Schema
        return found

    def number(self, name: str, least: float, most: float) -> float | None:
        found = self._get(name, False)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= most:
            raise Schema
        return found

    def ms(self, name: str, *, needed: bool = True) -> int | None:
        """A time in ms."""
        found = self._get(name, needed)
        return None if found is None else read_ms(found)

    def second(self, name: str, *, needed: bool = True) -> int | None:
        """A time in whole seconds, cut toward the past."""
        found = self.ms(name, needed=needed)
        return None if found is None else found // 1000

    def date(self, name: str, *, needed: bool = True) -> int | None:
        """`YYYY-MM-DD` as a local day (days since 1970-01-01)."""
        found = self._get(name, needed)
        return None if found is None else read_date(found)


def _text(found: Any, least: int, most: int) -> str:
    if not isinstance(found, str):
        raise Schema
    found = unicodedata.normalize("NFC", found)
    if not least <= len(found) <= most:
        raise Schema
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in found):  # Cs: half a surrogate pair is no text
        raise Schema
    return found


def _digits(text: str) -> int:
    if not text or any(sign not in "0123456789" for sign in text):
        raise Schema
    return int(text)


def read_ms(found: Any) -> int:
    """messages.md, Time: RFC 3339 with an offset (capital T and Z), or integer ms; from 2000 to 2100, no floats."""
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise Schema
    ms = found if isinstance(found, int) else _rfc3339(found)
    if not 946684800000 <= ms < 4102444800000:
        raise Schema
    return ms


def _rfc3339(text: str) -> int:
    if text.endswith("Z"):
        rest, offset = text[:-1], 0
    elif len(text) > 6 and text[-6] in "+-" and text[-3] == ":":
        hours, minutes = _digits(text[-5:-3]), _digits(text[-2:])
        if hours > 23 or minutes > 59:
            raise Schema
        rest, offset = text[:-6], (hours * 60 + minutes) * (1 if text[-6] == "+" else -1)
    else:
        raise Schema
    rest, dot, fraction = rest.partition(".")
    if dot:
        _digits(fraction)
    if len(rest) != 19 or rest[4] + rest[7] + rest[10] + rest[13] + rest[16] != "--T::":
        raise Schema
    parts = [_digits(rest[a:b]) for a, b in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
    try:
        moment = datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        raise Schema from None
    since = moment - datetime(1970, 1, 1) - timedelta(minutes=offset)
    return since.days * 86400000 + since.seconds * 1000 + int((fraction + "000")[:3])


def read_date(found: Any) -> int:
    if not isinstance(found, str) or len(found) != 10 or found[4] + found[7] != "--":
        raise Schema
    try:
        moment = datetime(_digits(found[:4]), _digits(found[5:7]), _digits(found[8:]))
    except ValueError:
        raise Schema from None
    return (moment - datetime(1970, 1, 1)).days


def local_day(second: int) -> int:
    """The day in Asia/Ho_Chi_Minh (UTC+7 since 1975), as days since 1970-01-01."""
    return (second + 7 * 3600) // 86400


def date_text(day: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=day)).strftime("%Y-%m-%d")


def time_text(second: int) -> str:
    """messages.md: out: RFC 3339, `Z`, whole seconds."""
    return (datetime(1970, 1, 1) + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
