"""Messages that rule 1 refuses, each for another reason, and some that only look as if it did."""

from __future__ import annotations

import json
from random import Random
from typing import Any

WRONG_FIELDS: tuple[tuple[str, Any], ...] = (
    ("scan_id", ""),
    ("scan_id", "x" * 65),
    ("venue_id", " v0"),
    ("venue_id", None),
    ("venue_id", "v\u0000"),
    ("person", "  "),
    ("person", 12),
    ("person", "a\u0007b"),
    ("scanned_at", 1640995200.5),
    ("scanned_at", True),
    ("scanned_at", "1640995200000"),
    ("scanned_at", "2022-01-01T00:00:00"),
    ("scanned_at", "1999-12-31T23:59:59Z"),
    ("gateway_id", ["g"]),
    ("direction", "through"),
    ("role", "guest"),
    ("mode", 3),
    ("void", 1),
    ("proof", "x" * 257),
)
NOT_JSON = (b"", b"{", b"nothing", b'{"a": NaN}', b'{"a": "\xff"}', b"[" * 3000, b"{}{}", b"\xef\xbb\xbf{}")


def bad_scan(rng: Random, good: dict[str, Any]) -> bytes:
    """One scan, within a batch or alone."""
    kind = rng.random()
    if kind < 0.2:
        return rng.choice((b"5", b"null", b'"text"', b"{}", b"[]"))
    name, wrong = rng.choice(WRONG_FIELDS)
    content = {**good, name: wrong}
    if kind < 0.3:
        del content[name]
    return json.dumps(content, ensure_ascii=kind < 0.6).encode()


def bad_record(rng: Random, good: bytes) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """A whole record that is refused: value and headers."""
    kind = rng.randrange(4)
    if kind == 0:
        return good, (("tv-schema", rng.choice((b"scan/2", b"venue/1", b"scan", b""))),)
    if kind == 1:
        return b"[" + b",".join([b"0"] * 1001) + b"]", ()
    if kind == 2:
        return b"[" + good + b", {]", ()
    return rng.choice(NOT_JSON), ()


def near_miss(rng: Random, good: bytes) -> bytes:
    """A record of a registry with one field taken out, or cut short."""
    if rng.random() < 0.3:
        return good[:-1]
    content = json.loads(good)
    name = rng.choice(sorted(content))
    if rng.random() < 0.5:
        del content[name]
    else:
        content[name] = rng.choice((None, "", [], 1.5, "x" * 300))
    return json.dumps(content).encode()
