"""`truyvet whatif`."""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING, Any

import click

from console.tables import as_json, count, table
from console.times import Day
from console.trouble import Trouble, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from console.whatif import Compared
    from streams.rules.policy import Policy
    from streams.runtime.settings import Settings

NAMES = ("f1", "high", "medium", "low", "held", "follow_ups", "follow_up_days")
HEADS = ("F1", "high", "medium", "low", "held", "follow up", "days")


@click.command(short_help="All cases under another policy; nothing is written.")
@click.argument("file", metavar="POLICY.toml", type=click.Path(exists=True, dir_okay=False))
@click.option("--from", "first", type=Day(), help="Only cases first reported from this day on.")
@click.option("--to", "last", type=Day(), help="Only cases first reported up to this day.")
@click.option("--json", "json_", is_flag=True, help="One line of JSON: total, and each case; `today` beside `then`.")
def command(file: str, first: datetime.date | None, last: datetime.date | None, json_: bool) -> None:
    """What would follow if POLICY.toml decided about all cases, whatever the day from which it holds, on the scans as
    they are now; beside what follows from today's policies. Nothing is written or published.

    F1 = contacts, by band; held = those that would wait for a decision, were the case reported now; follow up = persons
    to be followed up (one who met several cases counts once), days = of all of them together. Cases that are closed
    are left out: their scans may be gone. A cell is "today → then" where the two differ.
    """
    from console.policies import read_file

    policy = read_file(file).policy
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        found, closed = asyncio.run(_compare(settings, policy, first, last))
    show(policy.id, found, closed, json_)


async def _compare(
    settings: Settings, policy: Policy, first: datetime.date | None, last: datetime.date | None
) -> tuple[list[Compared], int]:
    from console.auditing import open_log
    from console.progress import progress
    from console.stores import open_store
    from console.whatif import compare
    from streams.rules.days import day_number
    from streams.runtime.serving import make_worker
    from streams.steps.worker import ready_generation

    async with open_store(settings) as store, open_log(settings) as log:
        generation = await ready_generation(store)
        if generation is None:
            raise Trouble("Redis holds no state that is ready: see `truyvet status`")
        worker = make_worker(settings, store, log, generation.id)
        with progress("evaluating", 1) as bar:
            return await compare(
                worker,
                policy,
                day_number(first or datetime.date.min),
                day_number(last or datetime.date.max),
                lambda done, of: bar.to(done / of, f"{done:,} of {of:,} cases"),
            )


def show(policy: str, found: list[Compared], closed: int, json_: bool) -> None:
    from console.whatif import total

    now, then = total(c.now for c in found).plain(), total(c.then for c in found).plain()
    if json_:
        cases: dict[str, Any] = {
            c.case_id: {"policy": c.policy, "today": c.now.plain(), "then": c.then.plain()} for c in found
        }
        as_json({"policy": policy, "closed": closed, "total": {"today": now, "then": then}, "cases": cases})
        return
    rows = [_row(c.case_id, c.policy, c.now.plain(), c.then.plain()) for c in found]
    rows.append(_row("all", "", now, then))
    table(f"{count(len(found), 'case')}, today → {policy}", ("case", "today's policy", *HEADS), rows, HEADS)
    if closed:
        click.echo(f"{count(closed, 'case')} left out: closed, too old to be evaluated.")


def _row(case_id: str, policy: str, now: dict[str, int], then: dict[str, int]) -> tuple[str, ...]:
    cells = (f"{now[name]:,}" if now[name] == then[name] else f"{now[name]:,} → {then[name]:,}" for name in NAMES)
    return case_id, policy, *cells
