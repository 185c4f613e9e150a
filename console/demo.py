"""The main job from nothing: a province-day streams in, a case is reported, exposures appear."""

from __future__ import annotations

import asyncio
import datetime
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.demostate import DemoState
from console.demotable import COLUMNS, NUMBERS, SPARE, Names, rows
from console.following import Standing, changes
from console.lag import Topics
from console.progress import progress
from console.registryfile import publish_lines
from console.replaying import Replay
from console.scanfiles import ScanFile
from console.stores import open_store
from console.tables import count
from console.times import LOCAL
from console.trouble import Trouble
from console.waiting import wait_for_effects

if TYPE_CHECKING:
    from console.province.province import Plan
    from streams.runtime.settings import Settings

_PATIENCE = 150.0
_ROWS = 12


@dataclass
class Result:
    """What the demo showed. Seconds; `last_exposure` counts from the acknowledged report to the last record."""

    scans: int
    people: int
    case_id: str
    streamed_in: float | None
    last_exposure: float | None
    effects_done: float
    exposures: list[dict[str, Any]] = field(default_factory=list)


def plan_of(seed: int, people: int, venues: int) -> Plan:
    """Yesterday's province: all its scans are past and none is too old."""
    from console.province.province import Plan

    yesterday = datetime.datetime.now(LOCAL).date() - datetime.timedelta(days=1)
    return Plan(people=people, venues=venues, days=1, seed=seed, start=yesterday, cases=12)


def province_folder(data: Path, plan: Plan) -> Path:
    """Where the files of a plan lie, made if they are not there (the same plan gives the same bytes)."""
    from console.commands.simulate import FILES, write
    from console.province.province import Province

    folder = data / f"province-{plan.seed}-{plan.people}-{plan.venues}-{plan.start}"
    if not all((folder / name).exists() for name in FILES):
        began = time.monotonic()
        counts = write(Province(plan), folder)
        _say(
            f"Simulated {plan.start}: {count(plan.people, 'person', 'people')}, {count(counts['venues'], 'venue')}, "
            f"{count(counts['scans'], 'scan')} in {time.monotonic() - began:.1f} s"
        )
    return folder


async def show_main_job(settings: Settings, folder: Path, plan: Plan, state: DemoState) -> Result:
    """Stream the day in (unless this Kafka has it), report the next case, follow its exposures until all are there."""
    async with open_store(settings) as store:
        streamed_in = None
        if not await _is_there(settings, state, folder):
            streamed_in = await _stream(settings, store, folder)
            state.streamed(folder.name, await _kafka_holds(settings))
        scans = state.scans(folder)
        case, again = state.next_case(folder)
        if again:
            _say("Every case of this province has been reported; the last one is reported once more.")
        case_id = json.loads(case)["case_id"]
        _say(f"Reporting case {case_id} …")
        found = await _report_and_follow(settings, store, case, case_id, Names(folder))
        state.reported(case_id)
    standing, last, done = found
    return Result(scans, plan.people, case_id, streamed_in, last, done, standing)


async def _stream(settings: Settings, store: Any, folder: Path) -> float:
    """Venues, then the day's scans with a bar; returns the seconds from the first scan sent to the last effect."""
    await publish_lines(settings, "venues", (folder / "venues.ndjson").read_bytes().splitlines())
    file = ScanFile(str(folder / "scans.ndjson"))
    replay = Replay(settings)
    began = time.monotonic()
    with progress("streaming the day in", file.size) as bar:
        await replay.run([file.lines()], lambda: bar.to(file.position(), f"{replay.scans:,} scans"))
    most = 1

    def tell(left: int) -> None:
        nonlocal most
        most = max(most, left)
        bar.to(1 - left / most, f"{left:,} records to go")

    with progress("workers take it in", 1) as bar:
        left = await wait_for_effects(settings, store, _PATIENCE, tell)
        if not left:
            bar.to(1, "")
    if left:
        raise Trouble(f"the workers are not done after {_PATIENCE:.0f} s: {left} (see the log in the data folder)")
    seconds = time.monotonic() - began
    _say(
        f"{count(replay.scans, 'scan')} went through Kafka into the contact graph in {seconds:.1f} s "
        f"({replay.scans / seconds:,.0f}/s)"
    )
    return seconds


async def _is_there(settings: Settings, state: DemoState, folder: Path) -> bool:
    """Whether this Kafka already holds the scans of this folder (it keeps them over restarts)."""
    held = state.held_after(folder.name)
    return held is not None and await _kafka_holds(settings) >= held


async def _kafka_holds(settings: Settings) -> int:
    async with Topics(settings) as topics:
        return sum((await topics.ends("scans")).values())


async def _report_and_follow(
    settings: Settings, store: Any, case: bytes, case_id: str, names: Names
) -> tuple[list[dict[str, Any]], float | None, float]:
    """Report the case; its exposures, seconds to the last record of it, seconds until all effects are done."""
    standing = Standing()
    ready = asyncio.Event()
    last: list[float] = []
    screen = _Screen(case_id, names)

    async def follow() -> None:
        async for news in changes(settings, standing):
            if news is None:
                ready.set()
            elif ready.is_set() and any(record["case_id"] == case_id for record in news):
                last[:] = [time.monotonic()]
                screen.draw([r for r in standing.records() if r["case_id"] == case_id])

    with screen:
        follower = asyncio.create_task(follow())
        waiter = asyncio.create_task(ready.wait())
        await asyncio.wait([follower, waiter], return_when=asyncio.FIRST_COMPLETED)
        if follower.done():
            waiter.cancel()
            follower.result()
        await publish_lines(settings, "cases", [case])
        began = time.monotonic()
        left = await wait_for_effects(settings, store, _PATIENCE)
        done = time.monotonic() - began
        # What is published is on the topic now; give the follower the time of a poll to have read it.
        await asyncio.sleep(0.6)
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
    if left:
        raise Trouble(f"the case is not evaluated after {_PATIENCE:.0f} s: {left} (see the log in the data folder)")
    mine = [record for record in standing.records() if record["case_id"] == case_id]
    return mine, (last[0] - began if last else None), done


class _Screen:
    """The exposures as they come, on a terminal; nothing elsewhere (the result is printed at the end)."""

    def __init__(self, case_id: str, names: Names) -> None:
        self.case_id, self._names = case_id, names
        self._live: Any = None

    def __enter__(self) -> _Screen:
        if sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(refresh_per_second=10, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def draw(self, records: list[dict[str, Any]]) -> None:
        if self._live is None:
            return
        from console.tables import drawn

        title = f"Case {self.case_id}: {count(len(records), 'exposure')} so far"
        self._live.update(drawn(title, COLUMNS, rows(records, self._names, _ROWS), NUMBERS))


def print_result(result: Result, names: Names) -> None:
    """The strongest exposures as a table, and the times."""
    from console.tables import table

    found = result.exposures
    bands = ", ".join(f"{sum(r.get('band') == band for r in found)} {band}" for band in ("high", "medium", "low"))
    _say(f"Case {result.case_id}: {count(len(found), 'exposure')} ({bands})")
    table(
        f"The strongest {_ROWS}:" if len(found) > _ROWS else "All of them:",
        COLUMNS,
        rows(found, names, _ROWS),
        NUMBERS,
        SPARE,
    )
    if result.last_exposure is not None:
        took = f"{result.last_exposure * 1000:,.0f} ms"
        _say(f"From the report to the last exposure: {took}, found among {count(result.scans, 'scan')} of the day.")
    else:
        _say("Nothing was new: these exposures stood already.")


def _say(text: str) -> None:
    click.echo(text)
