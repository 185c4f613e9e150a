"""`truyvet decide …`: what a tracer decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from console.tables import as_json
from console.times import Moment, now_ms, rfc3339
from console.trouble import load_settings

Command = Callable[..., None]


@click.group(short_help="Release or refuse a held case; confirm or dismiss an exposure.")
def command() -> None:
    """Decide about a held case or about one exposure: one message on the topic `decisions`, checked before it is sent.

    The newest decision counts; of a release and a refusal of one moment the refusal. One that is early waits for its
    case. Each is a line in the audit log, written by the worker before it takes effect.
    """


def decision(function: Command) -> Command:
    """The options that every decision has."""
    options = (
        click.option("--note", metavar="TEXT", help="Why. No personal data in it."),
        click.option("--at", type=Moment(), help="When it was decided. Default: now."),
        click.option("--by", metavar="WHO", help="Who decided. Default: your name on this machine."),
        click.option("--json", "json_", is_flag=True, help="Print what was sent as JSON."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command(short_help="Raise what is held.")
@click.argument("case_id", metavar="CASE")
@decision
def release(case_id: str, **common: Any) -> None:
    """Raise the exposures of a case that has more contacts than the policy lets out unseen."""
    _send("release", "case_id", case_id, **common)


@command.command(short_help="Raise no more of it.")
@click.argument("case_id", metavar="CASE")
@decision
def refuse(case_id: str, **common: Any) -> None:
    """Keep back what is held. Exposures that were raised before stay, and are kept up."""
    _send("refuse", "case_id", case_id, **common)


@command.command(short_help="There was contact.")
@click.argument("exposure_id", metavar="EXPOSURE_ID")
@decision
def confirm(exposure_id: str, **common: Any) -> None:
    """A tracer found that there was contact: the exposure says `confirmed`."""
    _send("confirm", "exposure_id", exposure_id, **common)


@command.command(short_help="There was none.")
@click.argument("exposure_id", metavar="EXPOSURE_ID")
@decision
def dismiss(exposure_id: str, **common: Any) -> None:
    """A tracer found that there was no contact: the exposure says `dismissed`; it stays, and so do its figures."""
    _send("dismiss", "exposure_id", exposure_id, **common)


def _send(word: str, field: str, about: str, *, note: str | None, at: int | None, by: str | None, json_: bool) -> None:
    from console.desk import send, who
    from schemas.decision import decode_decision

    settings = load_settings()
    moment = rfc3339(at if at is not None else now_ms())
    message = {field: about, "decision": word, "at": moment, "by": who(by), "note": note}
    sent = send(settings, "decisions", about, message, decode_decision)
    if json_:
        as_json(sent)
    else:
        click.echo(f"{word} sent for {about}")
