"""An infectious visit of a case at a venue (topic `venue-alerts`; messages.md; rule 8)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import OutId, OutTime

Status = Literal["raised", "updated", "withdrawn"]


class VenueAlert(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revision of an alert; the highest revision of an `alert_id` wins. A withdrawal has no figures.

    `alert_id` is a digest of case, venue and `start` (streams/rules/codes.py). `people` = other persons who had an
    overlapping piece, `f1` = contacts of the case among them; `crowd` = more than the policy's crowd limit.
    """

    alert_id: OutId
    revision: int
    status: Status
    case_id: str
    venue_id: str
    start: OutTime
    end: OutTime | None = None
    people: int | None = None
    f1: int | None = None
    crowd: bool | None = None
    policy: str | None = None
    issued_at: OutTime | None = None
