"""Bytes for the decoders: good messages, then hurt in the ways that senders and attackers hurt them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st


def plain(value: bytes) -> Any:
    """JSON in UTF-8 as plain data; Python makes no number of 5,000 digits, so it gets the first 40."""
    return json.loads(value.decode(), parse_int=lambda digits: int(digits[:40]))


ODD_TEXTS = (
    "",
    " ",
    "a b",
    " a",
    "a\u00a0",
    "\u2003a",
    "a\u0085",
    "a\x00",
    "\x7f",
    "\ufeffa",
    "e\u0301",
    "\ufb2c",
    "Trạm Y tế",
    "001099000001",
    "12|x|y|0|1234567890|z",
    "\U0001f3e5",
    "a" * 64,
    "a" * 65,
    "é" * 1025,
    "missing required field `secret`",
    "x - at `$.secret`",
    "\u2028",
    "\\",
    '"',
    "}\n{",
    "},{",
)
"""Texts between good and bad, for any field."""

RAW = (
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\\ud83c\\udfe5"',
    b'"\\\\ud800"',
    b'"\\u0000"',
    b'"\\q"',
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b'"a\nb"',
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"-0.0",
    b"1.0",
    b"1640000000000.0",
    b"1640000000000",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"1" + b"0" * 5000,
    b"01",
    b"true",
    b"null",
    b"[" * 120 + b"]" * 120,
    b"[" * 140 + b"]" * 140,
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b"[" * 100_000,
    b"{}",
    b"{}{}",
    b"[1,]",
    b"//",
)
"""Values as they stand in JSON, some of them none."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(946_684_800_000 - 2, 946_684_800_002),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(ODD_TEXTS),
)


@st.composite
def hurt(draw: st.DrawFn, base: dict[str, Any], names: list[str]) -> bytes:
    """One message in bytes: `base` with fields changed, taken away, doubled, raw values put in."""
    message = dict(base)
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        if draw(st.booleans()):
            message.pop(name, None)
        else:
            message[name] = draw(scalars)
    members = [
        (json.dumps(k, ensure_ascii=draw(st.booleans())), _bytes(v, draw(st.booleans()))) for k, v in message.items()
    ]
    for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
        key = draw(st.sampled_from([*names, "unknown", "", "a\u0301"]))
        members.insert(draw(st.integers(0, len(members))), (json.dumps(key), draw(st.sampled_from(RAW))))
    space = draw(st.sampled_from([b"", b"", b"", b" ", b"\n", b"\r\n", b"\t", b"\x0b", b"\xc2\xa0"]))
    return space.join([b"{", b",".join(k.encode() + b":" + space + v for k, v in members), b"}"])


def _bytes(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes cut, doubled, with a byte changed or put in front; sometimes whole."""
    value = draw(whole)
    how = draw(st.sampled_from(["whole", "whole", "cut", "byte", "front", "twice", "behind"]))
    if how == "cut":
        return value[: draw(st.integers(0, len(value)))]
    if how == "byte" and value:
        at = draw(st.integers(0, len(value) - 1))
        return value[:at] + bytes([draw(st.integers(0, 255))]) + value[at + 1 :]
    if how == "front":
        return draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b" ", b"\n", b"\x00", b"["])) + value
    if how == "twice":
        return value + draw(st.sampled_from([b"", b"\n", b",", b" "])) + value
    if how == "behind":
        return value + draw(st.sampled_from([b" ", b"\n", b"\x00", b"}", b"]", b",", b"\x0b"]))
    return value


@st.composite
def arrays(draw: st.DrawFn, element: st.SearchStrategy[bytes]) -> bytes:
    """A gateway's batch."""
    separator = draw(st.sampled_from([b",", b",", b", ", b",\n", b"\n,\t", b""]))
    return b"[" + separator.join(draw(st.lists(element, max_size=5))) + b"]"
