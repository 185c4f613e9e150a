"""Local days: every daily figure of the rules goes by a day in Asia/Ho_Chi_Minh, numbered from 1970-01-01.

The zone has been UTC+7 without a change since 1975 and times before 2000 are refused (messages.md), so a fixed offset
is exact and works on columns.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

LOCAL_OFFSET: Final = 25_200  # seconds
DAY: Final = 86_400

_EPOCH = date(1970, 1, 1)
Seconds = TypeVar("Seconds", int, npt.NDArray[np.int64])


def local_day(second: Seconds) -> Seconds:
    """Seconds UTC → number of the local day, for an int or a column."""
    return (second + LOCAL_OFFSET) // DAY


def day_number(day: date) -> int:
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    return _EPOCH + timedelta(days=day)
