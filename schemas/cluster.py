"""Several cases at one venue within days (topic `clusters`; messages.md; rule 8)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import OutTime


class Cluster(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revision of a cluster; the highest revision of a `cluster_id` wins. A withdrawal has no cases.

    `source_like` = cases that were there before they were infectious, `spread_like` = after.
    """

    cluster_id: str
    revision: int
    status: Literal["raised", "updated", "withdrawn"]
    venue_id: str
    from_: OutTime | None = msgspec.field(name="from", default=None)
    to: OutTime | None = None
    cases: tuple[str, ...] = ()
    source_like: int | None = None
    spread_like: int | None = None
    policy: str | None = None
    issued_at: OutTime | None = None
