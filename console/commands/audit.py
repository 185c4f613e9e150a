"""`truyvet audit show`, `verify`, `anchor`."""

from __future__ import annotations

import asyncio
import getpass
from typing import TYPE_CHECKING, Any

import click
import msgspec

from console.tables import as_json, count, table
from console.times import Moment, shown
from console.trouble import Trouble, kafka_at, load_settings

if TYPE_CHECKING:
    from schemas.audit import AuditLine
    from streams.rules.auditchain import Kept, Report
    from streams.runtime.settings import Settings

ACTIONS = ("reidentify", "erase", "hold", "decision", "export", "policy", "anchor", "look")
_SHORT = 8


@click.group(short_help="Who looked at what: the chained log.")
def command() -> None:
    """Every re-identification, erasure, decision, export and policy change, each line chained to the one before."""


@command.command()
@click.option("--chain", metavar="ID", help="Only this chain (its first characters are enough).")
@click.option("--since", type=Moment(), help="Only lines from then on.")
@click.option("--action", type=click.Choice(ACTIONS), help="Only this action.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="At most so many, the latest.")
@click.option("--json", "json_", is_flag=True, help="JSON, one line a line, with the heads of anchors.")
def show(chain: str | None, since: int | None, action: str | None, limit: int, json_: bool) -> None:
    """List the log, oldest first. It does not check it: that is `audit verify`."""
    settings = load_settings()
    from streams.rules.auditchain import read_line

    kept, _ = _read(settings)
    lines = [line for record in kept if record.value is not None and (line := read_line(record.value)) is not None]
    lines = [line for line in lines if _asked_for(line, chain, since, action)]
    lines.sort(key=lambda line: (line.at, line.chain, line.seq))
    if json_:
        for line in lines[-limit:]:
            as_json(msgspec.to_builtins(line))
        return
    if not lines:
        click.echo("The audit log has no such line.")
        return
    latest = f", the latest {limit}" if len(lines) > limit else ""
    rows = [
        (shown(a.at), f"{a.chain[:_SHORT]}/{a.seq}", a.action, a.by, _subject(a), a.outcome, a.reason)
        for a in lines[-limit:]
    ]
    table(
        f"{count(len(lines), 'line')}{latest}", ("when", "line", "action", "by", "subject", "outcome", "reason"), rows
    )


@command.command()
@click.option(
    "--anchor", "known", metavar="DIGEST", help="An anchor's digest that you noted elsewhere: it must be there."
)
@click.option("--json", "json_", is_flag=True, help="Print what was found as JSON.")
def verify(known: str | None, json_: bool) -> None:
    """Read the whole log and check every chain; names the first broken line, and ends with 1 when there is one.

    Lines after the newest anchor can be cut off from a chain's end without a trace; its digest, noted on paper, shows
    when that anchor itself was taken out.
    """
    settings = load_settings()
    from streams.rules.auditchain import verify as check

    kept, starts = _read(settings)
    report = check(kept, starts, known)
    _say(report, json_)
    if report.broken:
        raise Trouble("the audit log is broken")


@command.command()
@click.option("--by", metavar="WHO", help="Who writes it. Default: your name on this machine.")
@click.option("--json", "json_", is_flag=True, help="Print the anchor's digest as JSON.")
def anchor(by: str | None, json_: bool) -> None:
    """Check the log and write down where each chain ends now; to be run once a day. Prints a digest to note elsewhere.

    From then on a line that was taken off a chain's end is found. Nothing is written on a log that is broken (exit 1).
    """
    settings = load_settings()
    with kafka_at(settings):
        report, lines = asyncio.run(_anchor(settings, by or getpass.getuser()))
    if report.broken:
        _say(report, False)
        raise Trouble("the audit log is broken: no anchor was written")
    heads = sum(len(line.heads) for line in lines)
    if json_:
        as_json({"heads": heads, "digest": lines[-1].digest if lines else None})
    elif lines:
        click.echo(f"{count(heads, 'chain')} anchored. Note elsewhere: {lines[-1].digest}")
    else:
        click.echo("The audit log is empty: there is nothing to anchor.")


def _read(settings: Settings) -> tuple[list[Kept], dict[int, int]]:
    from console.auditing import lines_now, open_log

    async def read() -> tuple[list[Kept], dict[int, int]]:
        async with open_log(settings) as log:
            return await lines_now(log)

    with kafka_at(settings):
        return asyncio.run(read())


async def _anchor(settings: Settings, by: str) -> tuple[Report, list[AuditLine]]:
    from console.auditing import auditor, lines_now, open_log
    from streams.steps.audit import CodeInAudit, NotAudited
    from streams.steps.audit import anchor as write

    async with open_log(settings) as log:
        try:
            return await write(auditor(log), *await lines_now(log), by)
        except CodeInAudit as wrong:
            raise click.UsageError(f"--{wrong}") from None
        except NotAudited as failed:
            raise Trouble(str(failed)) from None


def _asked_for(line: AuditLine, chain: str | None, since: int | None, action: str | None) -> bool:
    from schemas.times import parse_time

    return (
        (chain is None or line.chain.startswith(chain))
        and (since is None or parse_time(line.at) >= since)
        and action in (None, line.action)
    )


def _subject(line: AuditLine) -> str:
    if line.heads:
        return count(len(line.heads), "head")
    return line.subject if line.case_id is None else f"{line.subject} (case {line.case_id})"


def _say(report: Report, json_: bool) -> None:
    newest = report.anchors[-1] if report.anchors else None
    if json_:
        as_json(
            {
                "lines": report.lines,
                "chains": len(report.heads),
                "anchors": len(report.anchors),
                "last_anchor": None if newest is None else {"at": newest.at, "digest": newest.digest},
                "beginning_no_longer_kept": len(report.cut),
                "broken": [_break(b) for b in report.breaks],
            }
        )
        return
    anchored = "no anchor yet" if newest is None else f"last anchor {newest.at}, digest {newest.digest}"
    click.echo(f"{count(report.lines, 'line')} in {count(len(report.heads), 'chain')}; {anchored}.")
    if report.cut:
        click.echo(f"Of {count(len(report.cut), 'chain')} the beginning is older than the topic keeps.")
    for place, broken in enumerate(report.breaks):
        click.echo(f"{'First broken line' if place == 0 else 'Also broken'}: {_words(broken)}")
    if not report.broken:
        click.echo("Every line follows the one before it.")


def _break(broken: Any) -> dict[str, Any]:
    return {name: getattr(broken, name) for name in ("chain", "seq", "partition", "offset", "why")}


def _words(broken: Any) -> str:
    if broken.partition < 0:
        return str(broken.why)
    line = "" if broken.seq is None else f", line {broken.seq}"
    return f"chain {broken.chain}{line} (audit/{broken.partition}, offset {broken.offset}): {broken.why}"
