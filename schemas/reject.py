"""One message that was not accepted, with the reason (topic `rejects`; messages.md)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from schemas.fields import OutTime, one_of

Reason = Annotated[str, one_of("not_json", "schema", "future", "expired", "closed_gateway", "policy_conflict")]


class Reject(msgspec.Struct, frozen=True):
    """`detail` = JSON pointer and what was expected, never the value; `payload` sealed to the operations key."""

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    index: int | None
    rejected_at: OutTime
    payload: str
    payload_bytes: int
    truncated: bool
