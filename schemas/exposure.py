"""One exposure: one person, one case, what they shared (topic `exposures`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["visitor", "staff"]


class Episode(msgspec.Struct, frozen=True):
    """A maximal shared span at one venue; `inferred` and `conflict` are of either side, `role` is the contact's."""

    venue_id: str
    venue_type: str
    start: str
    end: str
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

    follow_up_until: str
    test_on: str
    reason: str


class Exposure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revision of an exposure; the highest revision of an `exposure_id` wins. A withdrawal has no episodes."""

    exposure_id: str
    revision: int
    status: str
    case_id: str
    person: str
    level: str
    via: list[str] | None = None
    minutes: int | None = None
    direct_minutes: int | None = None
    indirect_minutes: int | None = None
    first_at: str | None = None
    last_at: str | None = None
    episodes: list[Episode] | None = None
    score: float | None = None
    band: str | None = None
    score_parts: list[ScorePart] | None = None
    advice: Advice | None = None
    policy: str | None = None
    certainty: str | None = None
    issued_at: str | None = None
    reason: str | None = None
    replaced_by: str | None = None
