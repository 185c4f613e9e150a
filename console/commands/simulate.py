"""`truyvet simulate`."""

from __future__ import annotations

import asyncio
import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.tables import as_json, count

if TYPE_CHECKING:
    from console.province.province import Province

DEFAULT_SEED = 11042
FILES = ("venues.ndjson", "scans.ndjson", "cases.ndjson")


class Date(click.ParamType):
    """YYYY-MM-DD, or `today` or `yesterday` (in Asia/Ho_Chi_Minh, UTC+7)."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime.date:
        if isinstance(value, datetime.date):
            return value
        text = str(value)
        today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=7))).date()
        if text in ("today", "yesterday"):
            return today - datetime.timedelta(days=text == "yesterday")
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError:
            self.fail("a day is YYYY-MM-DD, today or yesterday", param, ctx)
        if not 2000 <= day.year < 2099:
            self.fail("a day lies between 2000 and 2098", param, ctx)
        return day


@click.command(short_help="Make a province.")
@click.option("--people", type=click.IntRange(100, 5_000_000), default=20_000, show_default=True)
@click.option("--venues", type=click.IntRange(40, 500_000), default=1_200, show_default=True)
@click.option("--days", type=click.IntRange(1, 60), default=1, show_default=True, help="Days of scans.")
@click.option(
    "--cases", type=click.IntRange(0, 10_000), default=5, show_default=True, help="At most one for 10 people."
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=DEFAULT_SEED, show_default=True)
@click.option(
    "--start", type=Date(), default="2026-01-05", show_default=True, help="First day: YYYY-MM-DD, today, yesterday."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write the three files to.")
@click.option("--publish", is_flag=True, help="Publish to the Kafka of the settings: venues, then scans, then cases.")
@click.option(
    "--timestamps",
    type=click.Choice(["now", "data"]),
    default="now",
    show_default=True,
    help="With --publish: the record timestamp is the time of sending, or each scan's own time (see replay --help).",
)
@click.option("--json", "json_", is_flag=True, help="Print the counts as JSON.")
def command(
    people: int,
    venues: int,
    days: int,
    cases: int,
    seed: int,
    start: datetime.date,
    out: Path | None,
    publish: bool,
    timestamps: str,
    json_: bool,
) -> None:
    """Make a province: venues of all types, people with routines, days of scans, cases.

    Writes venues.ndjson, scans.ndjson and cases.ndjson to the folder of --out, or publishes them. The same options give
    the same bytes on every machine. All codes are impossible ones (999…) and all names are marked as made up.
    """
    if out is None and not publish:
        raise click.UsageError("Say where the province goes: --out FOLDER, --publish, or both.")
    if cases > people // 10:
        raise click.UsageError(f"--cases: at most one for 10 people, here {people // 10}.")
    from console.province.province import Plan, Province

    began = time.monotonic()
    province = Province(Plan(people=people, venues=venues, days=days, seed=seed, start=start, cases=cases))
    counts = {"people": people, "venues": 0, "scans": 0, "cases": 0}
    if out is not None:
        counts.update(write(province, out))
    if publish:
        counts.update(asyncio.run(_publish(province, timestamps)))
    counts["seconds"] = round(time.monotonic() - began, 1)  # type: ignore[assignment]
    if json_:
        as_json(counts)
    else:
        made = ", ".join(count(counts[name], name.removesuffix("s")) for name in ("venues", "scans", "cases"))
        click.echo(f"{made} of {count(people, 'person', 'people')} in {counts['seconds']} s")


def write(province: Province, folder: Path) -> dict[str, int]:
    """Write the three files; returns how many lines each got. A file is whole or not there: it is renamed when done."""
    from console.progress import progress

    folder.mkdir(parents=True, exist_ok=True)
    counts = {"venues": 0, "scans": 0, "cases": 0}
    with progress("simulating", province.plan.days) as bar:
        parts = {
            "venues": iter([province.venue_lines()]),
            "scans": province.scan_lines(),
            "cases": iter([province.case_lines()]),
        }
        for name, chunks in parts.items():
            unfinished = folder / f"{name}.ndjson.part"
            with unfinished.open("wb") as file:
                for number, lines in enumerate(chunks, 1):
                    file.write(b"\n".join(lines) + b"\n" if lines else b"")
                    counts[name] += len(lines)
                    if name == "scans":
                        bar.to(number)
            unfinished.replace(folder / f"{name}.ndjson")
    return counts


async def _publish(province: Province, timestamps: str) -> dict[str, int]:
    from console.registryfile import publish_lines
    from console.replaying import Replay
    from console.trouble import load_settings

    settings = load_settings()
    counts = {}
    counts["venues"] = await publish_lines(settings, "venues", province.venue_lines())
    replay = Replay(settings, batch=1, timestamps=timestamps)
    await replay.run(province.scan_lines())
    counts["scans"] = replay.scans
    counts["cases"] = await publish_lines(settings, "cases", province.case_lines())
    return counts
