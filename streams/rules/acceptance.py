"""Rule 1, the part that needs two clocks: a scan from the future, one too old to be kept, one of a closed gateway."""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from streams.rules.days import DAY

FUTURE: Final = "future"
EXPIRED: Final = "expired"
CLOSED_GATEWAY: Final = "closed_gateway"

Seconds = TypeVar("Seconds", int, npt.NDArray[np.int64])


def late_or_early(seconds: Seconds, at: Seconds, tolerance: int, retention_days: int) -> Seconds:
    """0 = fine, 1 = `future`, -1 = `expired`; for two ints or two int64 columns of equal length.

    `seconds` = when it was scanned, `at` = the record's timestamp, both whole seconds UTC (the caller cuts the
    milliseconds off). Exactly `tolerance` seconds ahead and exactly `retention_days` behind are fine ("more than").
    `retention_days` 0 keeps everything.
    """
    ahead = seconds - at
    early = (ahead > tolerance) * 1
    if not retention_days:
        return early
    return early - (ahead < -retention_days * DAY) * 1
