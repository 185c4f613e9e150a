"""Rule 2: what a scanned text stands for, its pseudonym, and the ids that are digests.

Nothing here keeps a code: no cache, and no code in an error's text. Hashing one costs less than looking it up safely.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b32decode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Final

# Spelled out: `\d` and str.isdigit() take digits of every script, and a card number in Thai digits would be another
# card than the same number in ours.
_QID = re.compile(r"[0-9]{10,20}")
_CARD = re.compile(r"[0-9]{12}")
_INSURANCE = re.compile(r"[A-Za-z]{2}[0-9]{13}")

PSEUDONYM_BYTES: Final = 16
_PREFIX = "p1"
_PSEUDONYM = re.compile(r"p1[a-z2-7]{26}")
_LONGEST_KEY = blake2b.MAX_KEY_SIZE
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_TWO_DIGITS = [a + b for a in _DIGITS for b in _DIGITS]


class EmptyCode(ValueError):
    """Nothing is left of a code after NFC and strip (rule 2: `schema`)."""


def canonical(code: str) -> str:
    """What the code stands for, by rule 2's table from top to bottom: `qid:…`, `cccd:…`, `bhyt:…` or `raw:…`.

    Fields are taken as they are ("strictly"): a blank beside a `|` makes another text. Raises EmptyCode.
    """
    text = unicodedata.normalize("NFC", code).strip()
    if not text:
        raise EmptyCode("a code that is not empty")
    fields = text.split("|")
    if len(fields) == 6 and fields[3] in ("0", "1") and _QID.fullmatch(fields[4]):
        return "qid:" + fields[4]
    if len(fields) in (1, 7) and _CARD.fullmatch(fields[0]):
        return "cccd:" + fields[0]
    if _INSURANCE.fullmatch(fields[0]):
        return "bhyt:" + fields[0].upper()
    return "raw:" + text


class Pseudonymiser:
    """Codes → 16-byte digests: BLAKE2b-128 of the canonical code, keyed.

    BLAKE2b takes keys of at most 64 bytes; a longer one is replaced by its own BLAKE2b-512 digest, so that no byte of
    it is lost. Raises ValueError for an empty key, which would leave pseudonyms that anybody can guess.
    """

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("a pseudonym key that is not empty")
        if len(key) > _LONGEST_KEY:
            key = blake2b(key).digest()
        self._state = blake2b(digest_size=PSEUDONYM_BYTES, key=key)
        # Most codes are bare card numbers: their state with the prefix taken in, to be copied.
        self._card = self._state.copy()
        self._card.update(b"cccd:")

    def digest(self, code: str) -> bytes:
        """16 bytes for one code as read. Raises EmptyCode."""
        state = self._state.copy()
        # A lone surrogate cannot be encoded otherwise, and Python's error would quote the code.
        state.update(canonical(code).encode("utf-8", "surrogatepass"))
        return state.digest()

    def digests(self, codes: Sequence[str]) -> list[bytes]:
        """16 bytes for each code as read, in order. Raises EmptyCode."""
        start, whole = self._card.copy, self.digest
        found = []
        for code in codes:
            if len(code) == 12 and code.isascii() and code.isdigit():
                state = start()
                state.update(code.encode())
                found.append(state.digest())
            else:
                found.append(whole(code))
        return found


@lru_cache(1 << 15)
def pseudonym_text(digest: bytes) -> str:
    """16 bytes → `p1` and 26 characters of lower-case base32. The order of texts is *not* the order of bytes."""
    # Said several times of each of thousands of persons when a case is evaluated; b32encode takes three times as long.
    number = int.from_bytes(digest) << 2
    return _PREFIX + "".join([_TWO_DIGITS[number >> at & 1023] for at in range(120, -1, -10)])


def pseudonym_digest(text: str) -> bytes:
    """The way back. Raises ValueError for anything `pseudonym_text` does not give; the text is not quoted."""
    if _PSEUDONYM.fullmatch(text) is None:
        raise ValueError("not a pseudonym")
    digest = b32decode(text[2:].upper() + "======")
    if (
        pseudonym_text(digest) != text
    ):  # 26 characters hold 130 bits; the last two must be 0, or two texts are one person
        raise ValueError("not a pseudonym")
    return digest


def venue_token(venue_id: str) -> bytes:
    """8 bytes that stand for a venue_id (in NFC, as schemas give it) in the graph."""
    return blake2b(venue_id.encode(), digest_size=8).digest()


@lru_cache(1 << 15)  # asked for four times from a contact's first look to its record
def exposure_id(case_id: str, pseudonym: str) -> str:
    """32 hexadecimal digits, stable for a case and a person (messages.md)."""
    return _joined_id(case_id, pseudonym)


def alert_id(case_id: str, venue_id: str, start: str) -> str:
    """32 hexadecimal digits for a venue alert; `start` = the visit's start as it stands in the alert (RFC 3339)."""
    return _joined_id(case_id, venue_id, start)


def cluster_id(venue_id: str, start: str) -> str:
    """32 hexadecimal digits for a cluster; `start` = that of its first presence, as it stands in the message."""
    return _joined_id(venue_id, start)


def _joined_id(*parts: str) -> str:
    # Byte 0 between: parts hold no control characters, so no two lists of parts give one text.
    return sha256("\0".join(parts).encode()).hexdigest()[:32]
