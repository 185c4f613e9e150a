"""Rejects read back: each place once, the payload opened with the operations key."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.registryfile import records_now

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


@dataclass(frozen=True)
class Rejected:
    """One record of `rejects`. `payload` None: no operations key here, or it is not the one that this was sealed to."""

    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    index: int | None
    rejected_at: str
    payload: bytes | None
    payload_bytes: int
    truncated: bool

    def as_dict(self) -> dict[str, Any]:
        """For --json; the payload as text, None when it cannot be opened."""
        shown = None if self.payload is None else self.payload.decode("utf-8", "backslashreplace")
        return {**self.__dict__, "payload": shown}

    @property
    def place(self) -> str:
        """`topic/partition/offset`, and the index in a batch."""
        where = f"{self.topic}/{self.partition}/{self.offset}"
        return where if self.index is None else f"{where}/{self.index}"


Open = Callable[[bytes], bytes]


async def read_rejects(settings: Settings, opened_by: Open | None, reason: str | None = None) -> list[Rejected]:
    """All that the topic keeps, oldest first. The same coordinates count once (messages.md): the last record of them.

    `opened_by` opens a sealed payload; None leaves them sealed.
    """
    latest: dict[bytes | None, Rejected] = {}
    async for record in records_now(settings, "rejects"):
        if record.value is None:
            continue
        fields = json.loads(record.value)
        if reason is None or fields["reason"] == reason:
            latest[record.key] = _opened(fields, opened_by)
    return sorted(latest.values(), key=lambda r: (r.rejected_at, r.topic, r.partition, r.offset, r.index or 0))


def _opened(fields: dict[str, Any], opened_by: Open | None) -> Rejected:
    payload = None
    if opened_by is not None:
        from nacl.exceptions import CryptoError

        # Sealed to another key, or no seal at all: it stays closed, and the others are shown.
        with contextlib.suppress(CryptoError, binascii.Error, ValueError):
            payload = opened_by(base64.b64decode(fields["payload"], validate=True))
    return Rejected(**{name: fields[name] for name in Rejected.__annotations__ if name != "payload"}, payload=payload)
