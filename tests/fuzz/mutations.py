"""Ways to hurt a message: in its fields, in its bytes, and as a whole."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.schemas.hostile import ODD_TEXTS, RAW

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e300, -0.0, 2**31, 2**53 + 1, 2**63, 10**30, [], {}, [None], {"a": {"b": [1]}},
    "0", "true", "null", "NaN", "2022-02-30T00:00:00Z", "2022-01-01T24:00:00Z", "2022-01-01T00:00:60Z",
    "2022-01-01T00:00:00+14:00", "2022-01-01T00:00:00-23:59", "2022-01-01", "1999-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "2022-01-01t00:00:00z", "2022-01-01T00:00:00,5Z",
    "٢٠٢٢-01-01T00:00:00Z", "\u202e2022", "x" * 1025, "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "e\u0301" * 32, "\ufdfa" * 64, "🏥" * 64,
    "\u200b", "\u2028a",
)  # fmt: skip
HEADERS: tuple[tuple[tuple[str, bytes], ...], ...] = (
    (("tv-schema", b"scan/2"),),
    (("tv-schema", b"scan/1.7"),),
    (("tv-schema", b""),),
    (("tv-schema", b"\xff\xfe"),),
    (("tv-schema", b"case/1"), ("tv-schema", b"scan/1")),
    (("ce_id", b"\x00" * 300),),
    (("", b""),),
)


def odd_value(rng: Random) -> Any:
    return rng.choice(ODD_TEXTS) if rng.random() < 0.3 else rng.choice(ODD_VALUES)


def hurt_fields(rng: Random, content: dict[str, Any]) -> dict[str, Any]:
    """One or two fields that are missing, of another kind, out of bounds, or not known at all."""
    content = dict(content)
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(sorted(content)) if content else "x"
        kind = rng.random()
        if kind < 0.15:
            content.pop(name, None)
        elif kind < 0.25:
            content[rng.choice(ODD_TEXTS) + "?"] = odd_value(rng)
        else:
            content[name] = odd_value(rng)
    return content


def as_json(rng: Random, content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=rng.random() < 0.3, separators=(",", ":") if rng.random() < 0.5 else None)
    return text.encode("utf-8", "surrogatepass")


def raw_field(rng: Random, content: dict[str, Any]) -> bytes:
    """A field whose value no JSON writer would write; some of them none."""
    name = rng.choice(sorted(content)) if content and rng.random() < 0.7 else "unknown"
    content = {other: value for other, value in content.items() if other != name}
    value = as_json(rng, content)
    raw = rng.choice(RAW if rng.random() < 0.2 else RAW[:24])
    return value[:-1] + (b"," if content else b"") + json.dumps(name).encode() + b":" + raw + b"}"


def hurt_bytes(rng: Random, value: bytes) -> bytes:
    """Some bytes flipped, gone, doubled, put in or moved."""
    while names_twice(hurt := _hurt_bytes(rng, value)):
        pass
    return hurt


def _hurt_bytes(rng: Random, value: bytes) -> bytes:
    found = bytearray(value)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        if not found:
            break
        at, upto = rng.randrange(len(found)), rng.randrange(1, 9)
        kind = rng.randrange(5)
        if kind == 0:
            found[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del found[at : at + upto]
        elif kind == 2:
            found[at:at] = found[at : at + upto]
        elif kind == 3:
            found[at:at] = rng.randbytes(rng.choice((1, 1, 4)))
        else:
            found[at:] = found[at + upto :] + found[at : at + upto]
    return bytes(found)


def names_twice(value: bytes) -> bool:
    """JSON in which a field stands twice: which of them counts no standard says (schemas/README.md says it of us)."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(found := dict(pairs)) < len(pairs):
            raise KeyError
        return found

    try:
        json.loads(value, object_pairs_hook=once)
    except KeyError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def junk(rng: Random) -> bytes:
    """Nothing that was ever meant as a message."""
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randbytes(rng.randrange(64))
    if kind == 1:
        return rng.choice((b"[", b'{"a":')) * rng.choice((10, 600, 20_000))
    if kind == 2:
        return b"[" * (depth := rng.choice((5, 90, 127, 128, 500))) + b"]" * depth
    if kind == 3:
        return rng.choice(
            (b"null", b"5", b'"text"', b"[]", b"{}", b" ", b"[null]", b"[[]]", b"\xef\xbb\xbf{}", b"{}{}")
        )
    if kind == 4:
        return '{"scan_id": "ẍ"}'.encode(rng.choice(("utf-16", "utf-32", "utf-16-le")))
    size = rng.choice((999, 1000, 1001) if rng.random() < 0.05 else (2, 10, 30))
    return b"[" + b",".join([b"0"] * size) + b"]"
