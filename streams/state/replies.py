"""Redis's replies as pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def pairs_of(reply: Any) -> Iterable[tuple[bytes, bytes]]:
    """What HGETALL said: redis-py makes a dict of it, a script or the simulation a flat list."""
    return reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)


def scored(flat: Sequence[bytes]) -> list[tuple[str, int]]:
    """What ZRANGEBYSCORE with WITHSCORES said: members, and their whole scores."""
    return [(member.decode(), int(score)) for member, score in zip(flat[::2], flat[1::2], strict=True)]
