"""How our own messages become bytes: JSON in UTF-8, fields in the contract's order: equal is equal bytes."""

from __future__ import annotations

import msgspec

_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Deterministic JSON of one message."""
    return _encoder.encode(message)
