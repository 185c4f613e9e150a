"""The kinds of field that messages.md knows. Each says how it travels, how it is checked, and what was expected.

A wire Struct names its kinds, and `reading.checked` applies their checks: a field can't be let through by forgetting
its line. What `extra_json_schema` holds is for the published JSON Schemas only and costs the decoder nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from msgspec import Meta

from schemas.texts import clean, clean_code, clean_id
from schemas.times import EARLIEST_MS, LATEST_MS, parse_date, parse_time


@dataclass(frozen=True, slots=True)
class Check:
    """`make` turns what travelled into what we keep, or raises ValueError; `expected` is what a reject says."""

    make: Callable[[Any], Any]
    expected: str


def as_it_is(content: Any) -> Any:
    """Where the type and its bounds say all."""
    return content


def seconds(value: str | int) -> int:
    """A time → whole seconds, cut toward the past."""
    return parse_time(value) // 1000


_LOCAL_OFFSET_MS = 7 * 3_600_000  # Asia/Ho_Chi_Minh: +07:00 all year since 1975


def day_or_time(value: str | int) -> int:
    """Milliseconds of a time, or of the start of a local day."""
    if isinstance(value, str) and len(value) == 10:
        day = datetime.combine(parse_date(value), datetime.min.time(), UTC)
        ms = (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) - _LOCAL_OFFSET_MS
        if not EARLIEST_MS <= ms < LATEST_MS:
            raise ValueError("not between 2000-01-01 and 2100-01-01")
        return ms
    return parse_time(value)


# Patterns are ECMA 262, spelt out: \s and \d mean different things in different libraries.
_CONTROL: Final = r"\u0000-\u001f\u007f-\u009f"
_SPACE: Final = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_EDGE: Final = r"\u0009-\u000d\u001c-\u001f\u0085" + _SPACE  # what strip() takes from a code's ends
_PLAIN: Final = f"^[^{_CONTROL}]*$"
_NO_EDGES: Final = f"^[^{_CONTROL}{_SPACE}]([^{_CONTROL}]*[^{_CONTROL}{_SPACE}])?$"
_CODE: Final = f"^[{_EDGE}]*[^{_CONTROL}{_SPACE}]([^{_CONTROL}]*[^{_CONTROL}{_SPACE}])?[{_EDGE}]*$"
_MONTH_DAY: Final = "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_RFC_3339: Final = (
    f"^(1999-12-31|20[0-9]{{2}}-{_MONTH_DAY}|2100-01-01)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_DAY: Final = f"^[0-9]{{4}}-{_MONTH_DAY}$"

_TimeText = Annotated[str, Meta(extra_json_schema={"format": "date-time", "pattern": _RFC_3339})]
_TimeMs = Annotated[int, Meta(extra_json_schema={"minimum": EARLIEST_MS, "maximum": LATEST_MS - 1})]
_DayText = Annotated[str, Meta(extra_json_schema={"format": "date", "pattern": _DAY})]

_A_TIME = "RFC 3339 with an offset or whole milliseconds, from 2000 to 2100"
_AN_ID = "text of 1 to 64 characters, without control characters or white space around it"
_A_NAME = "text of 1 to 256 characters, without control characters"

Id = Annotated[
    str,
    Meta(min_length=1, max_length=64, description=_AN_ID, extra_json_schema={"pattern": _NO_EDGES}),
    Check(clean_id, _AN_ID),
]
Code = Annotated[
    str,
    Meta(min_length=1, max_length=1024, description="A person's code, as read", extra_json_schema={"pattern": _CODE}),
    Check(clean_code, "text of 1 to 1024 characters that is not blank, without control characters"),
]
Name = Annotated[str, Meta(min_length=1, max_length=256, extra_json_schema={"pattern": _PLAIN}), Check(clean, _A_NAME)]
Proof = Annotated[
    str,
    Meta(max_length=256, extra_json_schema={"pattern": _PLAIN}),
    Check(clean, "text of at most 256 characters, without control characters"),
]
Note = Annotated[
    str,
    Meta(max_length=1024, extra_json_schema={"pattern": _PLAIN}),
    Check(clean, "text of at most 1024 characters, without control characters"),
]
Ground = Annotated[
    str,
    Meta(min_length=1, max_length=1024, extra_json_schema={"pattern": _PLAIN}),
    Check(clean, "text of 1 to 1024 characters, without control characters"),
]
Word = Annotated[str, Check(as_it_is, "text")]
"""A word of an open list."""

Time = Annotated[_TimeText | _TimeMs, Meta(description=_A_TIME), Check(seconds, _A_TIME)]
Stamp = Annotated[_TimeText | _TimeMs, Meta(description=_A_TIME), Check(parse_time, _A_TIME)]
"""A time that is kept in milliseconds: `updated_at`."""
Day = Annotated[_DayText, Meta(description="A local date"), Check(parse_date, "a date, YYYY-MM-DD")]
DayOrTime = Annotated[
    _DayText | _TimeText | _TimeMs,
    Meta(description="A local date, or a time"),
    Check(day_or_time, f"a date, YYYY-MM-DD, or a time: {_A_TIME}"),
]


def _hexadecimal(text: str) -> str:
    if re.fullmatch("[0-9a-f]{32}", text) is None:
        raise ValueError("not 32 digits of lower-case hexadecimal")
    return text


Digest = Annotated[
    str,
    Meta(extra_json_schema={"pattern": "^[0-9a-f]{32}$"}),
    Check(_hexadecimal, "32 digits of lower-case hexadecimal"),
]
"""The id of an exposure or alert."""

COUNT_LIMIT: Final = 1_000_000_000
Count = Annotated[int, Meta(ge=0, le=COUNT_LIMIT), Check(as_it_is, "a whole number from 0 to 1000000000")]
"""Bounded, so that no figure of a registry overflows whoever packs it."""
Minutes = Annotated[int, Meta(ge=1, le=1440), Check(as_it_is, "a whole number from 1 to 1440")]
Linger = Annotated[int, Meta(ge=0, le=60), Check(as_it_is, "a whole number from 0 to 60")]
Latitude = Annotated[float, Meta(ge=-90, le=90), Check(as_it_is, "a number from -90 to 90")]
Longitude = Annotated[float, Meta(ge=-180, le=180), Check(as_it_is, "a number from -180 to 180")]
Flag = Annotated[bool, Check(as_it_is, "true or false")]


# What we send. The decoder does not check it again: these only tell readers, through the published schemas.


def one_of(*words: str) -> Meta:
    """A closed list in the published schema."""
    return Meta(extra_json_schema={"enum": list(words)})


OutTime = Annotated[
    str,
    Meta(
        extra_json_schema={
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        }
    ),
]
OutDay = Annotated[str, Meta(extra_json_schema={"format": "date", "pattern": _DAY})]
OutId = Annotated[str, Meta(extra_json_schema={"pattern": "^[0-9a-f]{32}$"})]
"""Hexadecimal of the first 16 bytes of a SHA-256."""
Pseudonym = Annotated[str, Meta(extra_json_schema={"pattern": "^p1[a-z2-7]{26}$"})]


# What our own workers send each other. It is checked all the same: whoever reaches Kafka can write there.

_A_PSEUDONYM = re.compile("p1[a-z2-7]{25}[aeimquy4]")  # 26 characters hold 130 bits; the last two are 0


def _pseudonym(text: str) -> str:
    if _A_PSEUDONYM.fullmatch(text) is None:
        raise ValueError("not a pseudonym")
    return text


def _pseudonyms(texts: list[str]) -> list[str]:
    return [_pseudonym(text) for text in texts]


APseudonym = Annotated[Pseudonym, Check(_pseudonym, "a pseudonym")]
Pseudonyms = Annotated[list[Pseudonym], Check(_pseudonyms, "pseudonyms")]
