"""Whether bytes are JSON in UTF-8 (rule 1, `not_json`), and what the decoder can't take although they are.

The answer must not hang on who asks: a decoder that stops where the interpreter's stack ends would take a message in
one call and refuse it in another, and a rebuild would then differ. So nesting has a limit of its own.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

NESTING_LIMIT: Final = 128
"""Arrays and objects within each other. More is absurd (rule 1): no message of ours has more than four."""

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OPENING = re.compile(rb"[\[{]+|[\]}]+")
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u(....)|.)", re.DOTALL)


def _refuse(_: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def is_json(value: bytes) -> bool:
    """Whether the bytes are JSON in UTF-8: no NaN, no bad UTF-8, no byte order mark, no absurd nesting (rule 1)."""
    if may_be_deep(value) and _depth(value) > NESTING_LIMIT:
        return False
    try:
        # Numbers are only looked at, not made: making one of 5,000 digits is an error.
        json.loads(value.decode(), parse_constant=_refuse, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        return False
    return True


def may_be_deep(value: bytes, openings: int = 0) -> bool:
    """False when the bytes are surely not nested too deeply. `openings` = brackets known to stand side by side."""
    return value.count(b"[") + value.count(b"{") - openings > NESTING_LIMIT


def _depth(value: bytes) -> int:
    """The deepest nesting of something that may be JSON (of what is none, any number)."""
    depth = deepest = 0
    for found in _OPENING.finditer(_STRING.sub(b"", value)):
        run = found[0]
        depth += len(run) if run[0] in b"[{" else -len(run)
        deepest = max(deepest, depth)
    return deepest


def whole_texts(value: bytes) -> bytes:
    r"""The same JSON, as long as before, each half of a surrogate pair that stands alone written as `\u0000`.

    JSON's grammar has `"\ud800"`, UTF-8 has no such text, and the decoder gives up the whole message for it. This way
    a field that we know is refused for its control character, by name, and one that we don't know is ignored.
    """
    return _ESCAPE.sub(lambda found: _whole(found[0], found[1]), value)


def _whole(escape: bytes, single: bytes | None) -> bytes:
    return rb"\u0000" if single is not None and single[:1] in b"dD" and single[1:2] in b"89abcdefABCDEF" else escape


def elements_of(value: bytes) -> list[bytes]:
    """The bytes of each element of a JSON array, as they were sent."""
    try:
        return [bytes(raw) for raw in _raws.decode(value)]
    except msgspec.MsgspecError:
        pass
    whole = whole_texts(value)
    found, at = [], 0
    for raw in _raws.decode(whole):
        # Between elements there are only commas and white space, so the first place is the right one.
        at = whole.index(bytes(raw), at)
        found.append(value[at : at + len(bytes(raw))])
        at += len(bytes(raw))
    return found


def element(value: bytes, index: int) -> bytes:
    """The bytes of one element of a batch that was decoded before."""
    return elements_of(value)[index]
