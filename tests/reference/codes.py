"""Rule 2: what a code stands for, and the pseudonym that goes on in its place."""

from __future__ import annotations

from base64 import b32encode
from functools import lru_cache
from hashlib import blake2b, sha256
from string import ascii_letters
from unicodedata import normalize


def _digits(text: str, least: int, most: int) -> bool:
    return least <= len(text) <= most and all(sign in "0123456789" for sign in text)


@lru_cache(1 << 18)
def canonical(read: str) -> str:
    """Rule 2, the table, in its order."""
    text = normalize("NFC", read).strip()
    fields = text.split("|")
    if len(fields) == 6 and fields[3] in ("0", "1") and _digits(fields[4], 10, 20):
        return f"qid:{fields[4]}"
    if len(fields) in (1, 7) and _digits(fields[0], 12, 12):
        return f"cccd:{fields[0]}"
    first = fields[0]
    if len(first) == 15 and all(sign in ascii_letters for sign in first[:2]) and _digits(first[2:], 13, 13):
        return f"bhyt:{first.upper()}"
    return f"raw:{text}"


def pseudonym(code: str, key: bytes) -> str:
    """Rule 2: `p1` + lower-case base32 without padding of the keyed BLAKE2b-128 of the canonical code."""
    digest = blake2b(code.encode(), digest_size=16, key=key).digest()
    return "p1" + b32encode(digest).decode().rstrip("=").lower()


def exposure_id(case: str, person: str) -> str:
    """messages.md: hex of the first 16 bytes of SHA-256(case_id, byte 0, pseudonym)."""
    return sha256(case.encode() + b"\0" + person.encode()).digest()[:16].hex()


def alert_id(case: str, venue: str, start: str) -> str:
    """messages.md: digest of case, venue, visit start, as above."""
    return sha256(b"\0".join(part.encode() for part in (case, venue, start))).digest()[:16].hex()


def cluster_id(venue: str, start: str) -> str:
    """The same of venue and start."""
    return sha256(b"\0".join(part.encode() for part in (venue, start))).digest()[:16].hex()
