"""At most one revision of an alert in a while (rule 8), and what an erasure changes of that (rule 10)."""

from __future__ import annotations

import msgspec
import pytest

from schemas.times import format_time
from schemas.venue_alert import VenueAlert
from streams.state.standing import ALERT, STATUS_CODE, Head
from streams.steps.alerts import Alerted, changes

ENTRY = ALERT + bytes(16)
ISSUED, PAUSE = 1_640_710_841, 30_000  # s, ms
HAD = VenueAlert(
    alert_id="00" * 16,
    revision=2,
    status="raised",
    case_id="c0",
    venue_id="v0",
    start="2021-12-31T01:07:00Z",
    end="2021-12-31T01:19:00Z",
    people=2,
    f1=2,
    crowd=False,
    policy="p0",
    issued_at=format_time(ISSUED),
)
LESS = msgspec.structs.replace(HAD, people=1, f1=1)


def asked(want: VenueAlert | None, after_ms: int, *, erased: bool) -> Alerted:
    head = Head(2, 2, STATUS_CODE["raised"], bytes(16))
    wanted = {} if want is None else {ENTRY: want}
    return changes({ENTRY: head}, {ENTRY: HAD}, wanted, ISSUED * 1000 + after_ms, PAUSE, erased=erased)


@pytest.mark.parametrize("erased", [False, True])
def test_what_stands_keeps_to_the_pause(erased: bool) -> None:
    """A case's person who was erased and scans again: each scan sent a revision of the alert."""
    early = asked(LESS, PAUSE - 1, erased=erased)
    assert not early.changes and early.again_at == ISSUED * 1000 + PAUSE
    assert asked(LESS, PAUSE, erased=erased).changes[ENTRY].content == LESS


def test_what_an_erasure_ends_does_not_wait() -> None:
    assert not asked(None, 1, erased=False).changes
    ended = asked(None, 1, erased=True).changes[ENTRY]
    assert ended.content is None and ended.gone
