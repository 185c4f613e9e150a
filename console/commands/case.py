"""`truyvet case report`, `truyvet case withdraw`."""

from __future__ import annotations

import asyncio
import datetime
import getpass
import json
import secrets
from typing import TYPE_CHECKING, Any

import click

from console.codeinput import CodeGroup, read_codes
from console.tables import as_json
from console.times import LOCAL, Moment, now_ms, rfc3339
from console.trouble import Trouble, WrongUse, kafka_at, load_settings

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_TIMES = ("sampled_at", "onset_at", "isolated_at", "negative_at", "reported_at")


@click.group(cls=CodeGroup, short_help="Report a case, or withdraw one.")
def command() -> None:
    """Report a person with a positive test, or take a report back."""


@command.command()
@click.option("--id", "case_id", metavar="ID", help="The desk's own id of the case. Default: one is made.")
@click.option(
    "--person",
    metavar="CODE",
    help="The person's code, as a scanner reads it. Mind the shell's history: see --person-file.",
)
@click.option("--person-file", type=click.Path(allow_dash=True), help="File with the code in it; '-' = standard input.")
@click.option("--sampled", type=Moment(), help="When the positive sample was taken.")
@click.option("--onset", type=Moment(), help="When symptoms began.")
@click.option("--isolated", type=Moment(), help="Since when the person sees nobody.")
@click.option("--negative", type=Moment(), help="When a later test was negative.")
@click.option("--reported-at", type=Moment(), help="First report of the case. Default: now.")
@click.option("--by", metavar="WHO", help="Who reports it. Default: your name on this machine.")
@click.option("--json", "json_", is_flag=True, help="Print what was published (without the code) as JSON.")
def report(
    case_id: str | None,
    person: str | None,
    person_file: str | None,
    sampled: int | None,
    onset: int | None,
    isolated: int | None,
    negative: int | None,
    reported_at: int | None,
    by: str | None,
    json_: bool,
) -> None:
    """Report a case, or correct one that is known under --id: what is not given then stays as it is.

    Without --person and --person-file the code is asked for (not shown), or read from a pipe. Times are RFC 3339,
    milliseconds, or '2026-01-05 08:30' in Vietnam's time.
    """
    settings = load_settings()
    given = {
        "sampled_at": sampled,
        "onset_at": onset,
        "isolated_at": isolated,
        "negative_at": negative,
        "reported_at": reported_at,
    }
    with kafka_at(settings):
        known = asyncio.run(_known(settings, case_id)) if case_id else None
        if known is None and sampled is None:
            raise click.UsageError("--sampled is missing: when was the positive sample taken?")
        asked = known is None or person is not None or person_file is not None
        code = _code(person, person_file) if asked else None
        case = known or {"case_id": case_id or new_case_id(), "reported_at": rfc3339(now_ms())}
        if code is not None:
            case["person"] = code
        case.update({name: rfc3339(ms) for name, ms in given.items() if ms is not None})
        case["reported_by"] = by or case.get("reported_by") or getpass.getuser()
        case["status"] = "confirmed"
        _publish(settings, case)
    _say(case, "reported" if known is None else "corrected", json_)


@command.command()
@click.argument("case_id", metavar="ID")
@click.option("--by", metavar="WHO", help="Who withdraws it. Default: who reported it.")
@click.option("--json", "json_", is_flag=True, help="Print what was published (without the code) as JSON.")
def withdraw(case_id: str, by: str | None, json_: bool) -> None:
    """Take a case back: everything becomes as if it had never been reported, but for the withdrawal notices."""
    settings = load_settings()
    with kafka_at(settings):
        case = asyncio.run(_known(settings, case_id))
        if case is None:
            raise Trouble(f"there is no case {case_id} on the topic {settings.topic_prefix}cases")
        case["status"] = "withdrawn"
        if by is not None:
            case["reported_by"] = by
        _publish(settings, case)
    _say(case, "withdrawn", json_)


def new_case_id() -> str:
    return f"{datetime.datetime.now(LOCAL):%Y%m%d}-{secrets.token_hex(4)}"


async def _known(settings: Settings, case_id: str) -> dict[str, Any] | None:
    from console.registryfile import winner

    return await winner(settings, case_id)


def _code(given: str | None, file: str | None) -> str:
    return read_codes(("code of the person",), (given,), file)[0]


def _publish(settings: Settings, case: dict[str, Any]) -> None:
    """Check the record as the pipeline will, then publish it. A later correction must win over all before it."""
    from schemas.decoding import Problem, decode_case

    case["updated_at"] = max(now_ms(), int(case.get("updated_at", 0)) + 1)
    value = json.dumps({name: field for name, field in case.items() if field is not None}, ensure_ascii=False).encode()
    checked = decode_case(value, ())
    if isinstance(checked, Problem):
        raise WrongUse(f"this case would be rejected: {checked.detail}")
    from console.publishing import send_keyed

    asyncio.run(send_keyed(settings, "cases", [(case["case_id"], value)]))


def _say(case: dict[str, Any], done: str, json_: bool) -> None:
    if json_:
        as_json({name: field for name, field in case.items() if name != "person"})
    else:
        click.echo(f"{case['case_id']} {done}")
