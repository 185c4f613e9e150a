"""Times as a person types them, and as people read them."""

from __future__ import annotations

import datetime
import re

import click

LOCAL = datetime.timezone(datetime.timedelta(hours=7))
_TYPED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?))?")


class Moment(click.ParamType):
    """A time of the contract (RFC 3339 with an offset, or ms), or YYYY-MM-DD[ HH:MM] in Vietnam's own time → ms.

    The second form is for a person at a desk; what is published has an offset in any case.
    """

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if text == "now":
            return now_ms()
        from schemas.times import parse_time

        try:
            typed = _TYPED.fullmatch(text)
            if typed:
                day, clock = typed.groups()
                hour, minute, *second = (int(part) for part in (clock or "0:00").split(":"))
                moment = datetime.datetime.fromisoformat(day).replace(
                    hour=hour, minute=minute, second=second[0] if second else 0, tzinfo=LOCAL
                )
                return parse_time(int(moment.timestamp()) * 1000)
            return parse_time(int(text) if text.isdecimal() and text.isascii() else text)
        except ValueError:
            self.fail(
                "a time is 2026-01-05T08:30:00+07:00, milliseconds since the epoch, 'now', or 2026-01-05 08:30 (UTC+7)",
                param,
                ctx,
            )


class Day(click.ParamType):
    """YYYY-MM-DD → date."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime.date:
        from schemas.times import parse_date

        if isinstance(value, datetime.date):
            return value
        try:
            return parse_date(str(value))
        except ValueError:
            self.fail("a date is YYYY-MM-DD", param, ctx)


def now_ms() -> int:
    return int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)


def rfc3339(ms: int) -> str:
    """ms since the epoch → RFC 3339 in Vietnam's time, with milliseconds only where there are some."""
    moment = datetime.datetime.fromtimestamp(ms // 1000, LOCAL)
    fraction = f".{ms % 1000:03d}" if ms % 1000 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}+07:00"


def shown(text: str | None) -> str:
    """An RFC 3339 time of a message as people here read it: `05/01 08:30` local; empty for none."""
    if not text:
        return ""
    return f"{local(text):%d/%m %H:%M}"


def local(text: str) -> datetime.datetime:
    """An RFC 3339 time of a message, in Vietnam's time."""
    return datetime.datetime.fromisoformat(text).astimezone(LOCAL)
