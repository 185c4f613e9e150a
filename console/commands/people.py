"""`truyvet people …`: what is said of persons' codes."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from typing import Any

import click

from console.codeinput import CodeGroup, read_codes
from console.tables import as_json
from console.times import Day, Moment, now_ms, rfc3339
from console.trouble import load_settings

Command = Callable[..., None]


@click.group(cls=CodeGroup, short_help="Say something of a person: linked codes, vaccination, test, erasure …")
def command() -> None:
    """Say something of a person's code: one message on the topic `people`, checked before it is sent.

    The code is asked for (not shown), or read from a pipe or a file, one a line; it is never printed.
    """


def said(function: Command) -> Command:
    """The options that every operation has."""
    options = (
        click.option("--code", metavar="CODE", help="The code, as a scanner reads it. Mind the shell's history."),
        click.option(
            "--code-file", "file", type=click.Path(allow_dash=True), help="File with the code; '-' = standard input."
        ),
        click.option("--at", type=Moment(), help="Since when this is so. Default: now."),
        click.option("--by", metavar="WHO", help="Who says it. Default: your name on this machine."),
        click.option("--json", "json_", is_flag=True, help="Print what was sent (without the code) as JSON."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command(short_help="Two codes are one person.")
@click.option("--same-as", metavar="CODE", help="The other code. Mind the shell's history.")
@said
def link(same_as: str | None, code: str | None, **common: Any) -> None:
    """Two codes belong to one person. Whoever is linked to either is then one person with both.

    In a file or on standard input the two codes are two lines.
    """
    _send("link", (code, same_as), {}, **common)


@command.command(short_help="Undo the links of a code.")
@said
def unlink(code: str | None, **common: Any) -> None:
    """Undo every link of this code that was made up to --at. Links between others stay."""
    _send("unlink", (code,), {}, **common)


@command.command(short_help="Forget a person's scans.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant; needed without a terminal.")
@said
def erase(code: str | None, yes: bool, **common: Any) -> None:
    """Forget the scans up to --at of all codes that are linked then; exposures that rest on them are withdrawn.

    Refused while a legal hold stands. Either is a line in the audit log, written by the worker before it acts.
    """
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("What is erased cannot be brought back: --yes says that it is meant.")
        click.confirm("What is erased cannot be brought back. Erase?", abort=True, err=True)
    _send("erase", (code,), {}, **common)


@command.command(short_help="A legal ground against erasing.")
@click.option("--ground", required=True, metavar="TEXT", help="Which. No personal data in it.")
@said
def hold(code: str | None, ground: str, **common: Any) -> None:
    """Set a legal hold: while it stands, erasing this person is refused."""
    _send("hold", (code,), {"ground": ground}, **common)


@command.command(short_help="That ground ends.")
@click.option("--ground", required=True, metavar="TEXT", help="The words with which it was set.")
@said
def unhold(code: str | None, ground: str, **common: Any) -> None:
    """End a legal hold. An erasure of the time of the hold stays refused; ask for another."""
    _send("unhold", (code,), {"ground": ground}, **common)


@command.command(short_help="Doses of a vaccine so far.")
@click.option("--doses", type=click.IntRange(0, 99), required=True, help="How many in all.")
@click.option("--last-dose", "last", type=Day(), help="Day of the last one. Needed unless there was none.")
@said
def vaccination(code: str | None, doses: int, last: datetime.date | None, **common: Any) -> None:
    """Doses so far; changes how long contacts are followed up, never whether they are listed."""
    _send("vaccination", (code,), {"doses": doses, "last_dose_on": _text(last)}, **common)


@command.command(short_help="A test's result.")
@click.option("--sampled", type=Moment(), required=True, help="When the sample was taken.")
@click.option("--result", required=True, metavar="WORD", help="As the laboratory says it: positive, negative …")
@click.option("--kind", metavar="WORD", help="pcr, antigen …")
@click.option("--lab", metavar="NAME", help="Which laboratory.")
@said
def test(code: str | None, sampled: int, result: str, kind: str | None, lab: str | None, **common: Any) -> None:
    """A test of this person. It makes no case: that is `truyvet case report`."""
    fields = {"sampled_at": rfc3339(sampled), "result": result, "kind": kind, "lab": lab}
    _send("test", (code,), fields, **common)


@command.command(short_help="Works for an organisation.")
@click.option("--organisation", required=True, metavar="ID", help="For which.")
@click.option("--from", "first", type=Day(), required=True, help="First day.")
@click.option("--to", "last", type=Day(), help="Last day. Default: until further notice.")
@said
def employ(
    code: str | None, organisation: str, first: datetime.date, last: datetime.date | None, **common: Any
) -> None:
    """This person works for an organisation."""
    _send("employ", (code,), {"organisation": organisation, "from": first.isoformat(), "to": _text(last)}, **common)


def _text(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _send(
    op: str,
    given: tuple[str | None, ...],
    fields: dict[str, Any],
    *,
    file: str | None,
    at: int | None,
    by: str | None,
    json_: bool,
) -> None:
    from console.desk import new_key, send, who
    from schemas.person import decode_person

    settings = load_settings()
    names = ("code of the person", "the same person's other code")[: len(given)]
    codes = dict(zip(("code", "same_as"), read_codes(names, given, file), strict=False))
    moment = rfc3339(at if at is not None else now_ms())
    message = {"op": op, **codes, **fields, "at": moment, "by": who(by)}
    key = new_key()
    sent = send(settings, "people", key, message, decode_person)
    if json_:
        as_json({"key": key, **sent})
    else:
        click.echo(f"{op} sent, as of {moment} (record {key} on `people`)")
