"""Rejects read back: each place once, the payload opened with the operations key."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.registryfile import records_now

if TYPE_CHECKING:
    from nacl.public import PrivateKey

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


async def read_rejects(settings: Settings, key: PrivateKey | None, reason: str | None = None) -> list[Rejected]:
    """All that the topic keeps, oldest first. The same coordinates count once (messages.md): the last record of them."""
    latest: dict[bytes | None, Rejected] = {}
    async for record in records_now(settings, "rejects"):
        if record.value is None:
            continue
        fields = json.loads(record.value)
        if reason is None or fields["reason"] == reason:
            latest[record.key] = _opened(fields, key)
    return sorted(latest.values(), key=lambda r: (r.rejected_at, r.topic, r.partition, r.offset, r.index or 0))


def _opened(fields: dict[str, Any], key: PrivateKey | None) -> Rejected:
    payload = None
    if key is not None:
        from nacl.exceptions import CryptoError
        from nacl.public import SealedBox

        try:
            payload = SealedBox(key).decrypt(base64.b64decode(fields["payload"], validate=True))
        except (CryptoError, binascii.Error, ValueError):
            payload = None
    return Rejected(**{name: fields[name] for name in Rejected.__annotations__ if name != "payload"}, payload=payload)
