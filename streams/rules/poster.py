"""What a posted QR code says: `TV1.<venue_id>.<key id>.<mac>`, so that a code that somebody printed at home is told
from one that the registry desk hung up.

The key is derived from the pseudonym key (BLAKE2b-256, person string `truyvet-poster`): one secret is enough, and
neither key can be worked out from the other side. `key id` = the first 4 hexadecimal digits of the key's SHA-256: after
a change of keys old posters are told from forged ones. `mac` = keyed BLAKE2b of 10 bytes of everything before it, in
base32, lower case, 16 characters. A forger has one chance in 2^80, and no way to try but to scan.

A gateway that reads such a code sends `venue_id` = the venue in it, and may send `proof` = `<key id>.<mac>`
(messages.md, `scans`: reserved; nothing in the pipeline looks at it yet, an unsigned scan counts as before).
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Final, Literal, NamedTuple

_VERSION: Final = "TV1"
_PERSON: Final = b"truyvet-poster"
_MAC_BYTES: Final = 10

State = Literal["signed", "forged", "unknown_key", "unsigned"]


class PosterKey(NamedTuple):
    """`id`: 4 hexadecimal digits; `secret`: 32 bytes."""

    id: str
    secret: bytes


class Poster(NamedTuple):
    """What was read. `proof`: for the scan's field of that name, None where the code is unsigned."""

    venue_id: str
    state: State
    proof: str | None


def poster_key(pseudonym_key: bytes) -> PosterKey:
    """The signing key that belongs to a pseudonym key (TRUYVET_KEY). Raises ValueError for an empty one."""
    if not pseudonym_key:
        raise ValueError("a pseudonym key that is not empty")
    secret = blake2b(pseudonym_key, digest_size=32, person=_PERSON).digest()
    return PosterKey(sha256(secret).hexdigest()[:4], secret)


def poster_text(venue_id: str, key: PosterKey) -> str:
    """What the QR code of a venue says; `venue_id` in NFC, as schemas give it."""
    signed = f"{_VERSION}.{venue_id}.{key.id}"
    return f"{signed}.{_mac(signed, key)}"


def read_poster(text: str, keys: Iterable[PosterKey]) -> Poster:
    """The venue that a scanned text names, and whether one of the keys signed it. Never raises.

    A text of another form is an old, unsigned poster: the whole of it is the venue's id (messages.md).
    """
    version, _, rest = text.partition(".")
    # From the right: a venue_id may have dots of its own.
    parts = rest.rsplit(".", 2)
    if version != _VERSION or len(parts) != 3 or not parts[0]:
        return Poster(text, "unsigned", None)
    venue_id, key_id, mac = parts
    proof = f"{key_id}.{mac}"
    known = [key for key in keys if key.id == key_id]
    if not known:
        return Poster(venue_id, "unknown_key", proof)
    signed = f"{_VERSION}.{venue_id}.{key_id}"
    # 4 digits name a key, they don't prove it: two keys may share them.
    right = any(compare_digest(_mac(signed, key).encode(), mac.encode("utf-8", "surrogatepass")) for key in known)
    return Poster(venue_id, "signed" if right else "forged", proof)


def _mac(signed: str, key: PosterKey) -> str:
    content = signed.encode("utf-8", "surrogatepass")
    digest = blake2b(content, digest_size=_MAC_BYTES, key=key.secret, person=_PERSON).digest()
    return b32encode(digest).decode().lower()
