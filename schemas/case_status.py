"""How far a case is, so that "no contacts" and "not evaluated" can be told apart (topic `case-status`; messages.md)."""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.fields import OutTime

State = Literal["open", "held", "refused", "withdrawn", "closed"]


class CaseStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revision of a case's status; the highest revision wins.

    `window_start` ≥ `window_end` is an empty window, and `warnings` says so (`empty_window`). `scans_of_case` and
    `venues` = scans and venues of the case's own person within the window; `f1` = contacts, `held` of them not raised.
    `evaluated_through` = the newest record timestamp of `scans` that had been taken in at the last change.
    """

    case_id: str
    revision: int
    state: State
    window_start: OutTime | None = None
    window_end: OutTime | None = None
    policy: str | None = None
    scans_of_case: int | None = None
    venues: int | None = None
    f1: int | None = None
    held: int | None = None
    evaluated_at: OutTime | None = None
    evaluated_through: OutTime | None = None
    warnings: tuple[str, ...] = ()
