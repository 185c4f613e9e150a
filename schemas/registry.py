"""Internal: what won in a registry, pseudonymised (topic `registry`, compacted; key = kind/key)."""

from __future__ import annotations

import msgspec


class Registered(msgspec.Struct, frozen=True):
    """`row` = the registry's row as Redis holds it (base64 in JSON): a rebuild puts it back as it is."""

    kind: str
    key: str
    row: bytes
