"""One exposure: one person, one case, what they shared (topic `exposures`; messages.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from schemas.fields import OutDay, OutId, OutTime, Pseudonym, one_of

Role = Literal["visitor", "staff"]
Status = Annotated[str, one_of("raised", "updated", "withdrawn")]
Level = Annotated[str, one_of("F1", "F2")]
Band = Annotated[str, one_of("high", "medium", "low")]
Certainty = Annotated[str, one_of("co-presence", "confirmed", "dismissed")]
Reason = Annotated[str, one_of("case_withdrawn", "dates_corrected", "scans_corrected", "merged", "erased", "rekeyed")]


class Episode(msgspec.Struct, frozen=True):
    """A maximal shared span at one venue; `inferred` and `conflict` are of either side, `role` is the contact's."""

    venue_id: str
    venue_type: str
    start: OutTime
    end: OutTime
    direct_seconds: int
    indirect_seconds: int
    inferred: bool
    conflict: bool
    role: Role
    case_role: Role


class ScorePart(msgspec.Struct, frozen=True):
    """What one episode (by its place in the list) adds to the score (rule 7)."""

    episode: int
    direct_seconds: int
    indirect_seconds: int
    infectiousness: float
    setting: float
    points: float


class Advice(msgspec.Struct, frozen=True):
    """Dates (local) counted from the day of `last_at`."""

    follow_up_until: OutDay
    test_on: OutDay
    reason: str


class Exposure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revision of an exposure; the highest revision of an `exposure_id` wins. A withdrawal has no episodes.

    An F2 (only where the policy publishes them) has `score`, `band` and `advice` null: nobody judged it (rule 6). A
    withdrawal has none of the three.
    """

    exposure_id: OutId
    revision: int
    status: Status
    case_id: str
    person: Pseudonym
    level: Level
    via: list[Pseudonym] | None = None
    minutes: int | None = None
    direct_minutes: int | None = None
    indirect_minutes: int | None = None
    first_at: OutTime | None = None
    last_at: OutTime | None = None
    episodes: list[Episode] | None = None
    score: float | UnsetType | None = UNSET
    band: Band | UnsetType | None = UNSET
    score_parts: list[ScorePart] | None = None
    advice: Advice | UnsetType | None = UNSET
    policy: str | None = None
    certainty: Certainty | None = None
    issued_at: OutTime | None = None
    reason: Reason | None = None
    replaced_by: OutId | None = None
