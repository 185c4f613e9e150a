"""`truyvet bench flagged`: from a scan at the place of an open case to the exposure on the topic, while others scan."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click
import msgspec
import psutil

from console.bench.answers import Answers
from console.bench.appender import Appender
from console.bench.contenders import Child, opened
from console.bench.meter import Meter
from console.bench.results import joined, machine, quantile, report_of, worker_of, write_out
from console.bench.system import KEY, System
from console.bench.town import DAYS, Town
from console.publishing import Publisher
from console.tables import as_json, table
from console.trouble import Trouble
from console.waiting import wait_for_effects
from streams.rules.codes import Pseudonymiser, pseudonym_text
from streams.runtime.settings import Settings
from streams.state.generation import read_offsets

LOADED = 200_000  # scans before
PROBES_A_SECOND = 10
PATIENCE = 300.0
PEOPLE = 50_000
ELSEWHERE = 500_000  # number of the first venue of those who scan meanwhile: at no place of a case


class Result(msgspec.Struct, frozen=True):
    """`ms`: of each probe, from its record's append to its exposure read back. `rate`: scans a second taken in
    meanwhile; `cpu`: seconds by process, of all workers together."""

    machine: dict[str, Any]
    workers: int
    cases: int
    wanted_rate: int
    rate: float
    ms: list[float]
    cpu: dict[str, float]
    wall: float


async def measure(
    cases: int, rate: int, seconds: int, workers: int = 1, tell: Callable[[str], None] = lambda _: None
) -> Result:
    """Raises Trouble."""
    async with System() as system:
        settings = await system.fresh("flagged.")
        with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder, ExitStack() as stack:
            crew = [worker_of(settings, Path(folder) / f"log-{n}") for n in range(workers)]
            for worker in crew:
                stack.callback(worker.stop)
            await joined(settings, workers)
            bench = _Bench(settings, crew, tell)
            try:
                return await bench.run(cases, rate, seconds, system.pids())
            except psutil.NoSuchProcess:
                bench.alive()  # says what one ended with
                raise


class _Bench:
    def __init__(self, settings: Settings, workers: Sequence[Child], tell: Callable[[str], None]) -> None:
        self.settings, self.workers, self._tell = settings, workers, tell
        self.town = Town(LOADED, int(time.time()))
        self._records = 0

    async def run(self, cases: int, rate: int, seconds: int, pids: dict[str, int]) -> Result:
        town = self.town
        # As it is live: a province goes about its day, elsewhere; none of it are the
        # cases, who are at home, or were their contacts: each scan of theirs could change what stands.
        flow = Town(
            rate * (seconds + 2), int(time.time()), seed=6, venues_from=ELSEWHERE, days=1, people_from=ELSEWHERE
        )
        flow.people = PEOPLE
        flowing = [value for value, _ in flow.records()]
        await self._publish([value for value, _ in town.records()])
        await self._publish([self._visit(n, n, 0.0, 1.0) for n in range(cases)])
        # Everybody was met before: a person's first scan is sealed into the vault (bench ingest has what that costs).
        await self._publish([flow.outing(n, 0, 5.0, flow.busy + n % flow.quiet, 0.5, n) for n in range(PEOPLE)])
        await self._taken_in(self._records)
        async with Answers(self.settings, self.alive) as answers, Appender(self.settings) as append:
            for n in range(cases):
                await append("cases", f"C{n}", report_of(town, f"C{n}", n, "confirmed"))
            await self._open(answers, cases)
            # What hangs on so many cases reported at once (follow-ups, clusters, alerts) is done before: a province
            # has a thousand open cases, and not a thousand new ones within the minute.
            async with opened(self.settings) as store:
                left = await wait_for_effects(self.settings, store, PATIENCE)
            if left:
                raise Trouble(f"the cases were not through within {PATIENCE:.0f} s: {left}")
            await answers.quiet(1.0)
            self._tell(f"{cases:,} cases are open")
            reading = asyncio.create_task(answers.follow())
            asked: dict[tuple[str, str], float] = {}
            began, first = time.monotonic(), await self._offset()
            mine = {f"worker {n}": worker.pid for n, worker in enumerate(self.workers)}
            with Meter({**mine, **pids}) as meter:
                probing = asyncio.create_task(self._probe(cases, seconds, append, asked))
                await self._flow(flowing, rate, seconds)
                await probing
                taken, wall = await self._offset() - first, time.monotonic() - began
            await self._wait(answers, asked, reading)
        ms = [(answers.arrived[key] - at) * 1e3 for key, at in asked.items()]
        cpu = {"worker": sum(meter.cpu[name] for name in mine), **{name: meter.cpu[name] for name in pids}}
        return Result(machine(), len(self.workers), cases, rate, taken * 50 / wall, ms, cpu, meter.wall)

    def alive(self) -> None:
        """Raises Trouble when a worker has ended."""
        for worker in self.workers:
            worker.lines()

    def _visit(self, number: int, person: int, after: float, hours: float) -> bytes:
        """At the place of case `number`, `after` hours after the case came; four days ago, when it was infectious."""
        town = self.town
        place = town.busy + number % town.quiet
        return town.outing(person, DAYS - 4, 8 + (number // town.quiet) * 2 + after, place, hours, 500_000_000 + person)

    async def _publish(self, records: list[bytes]) -> None:
        async with Publisher(self.settings, "scans") as out:
            for value in records:
                await out.add(value)
            self._records += out.records

    async def _offset(self) -> int:
        async with opened(self.settings) as store:
            return sum(n for (topic, _), n in (await read_offsets(store)).items() if topic == "scans")

    async def _taken_in(self, records: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while await self._offset() < records:
            self.alive()
            if time.monotonic() > deadline:
                raise Trouble(f"the scans were not taken in within {PATIENCE:.0f} s")
            await asyncio.sleep(0.1)

    async def _open(self, answers: Answers, cases: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while sum(known.state == "open" for known in answers.known.values()) < cases:
            if time.monotonic() > deadline:
                raise Trouble(f"not all cases were open within {PATIENCE:.0f} s")
            await answers.quiet(0.5)

    async def _flow(self, records: list[bytes], rate: int, seconds: int) -> None:
        """What others scan meanwhile, as evenly as it goes."""
        began, sent = time.monotonic(), 0
        async with Publisher(self.settings, "scans") as out:
            while (now := time.monotonic() - began) < seconds:
                until = min(int(now * rate / 50), len(records))
                for value in records[sent:until]:
                    await out.add(value)
                sent = max(sent, until)
                await out.flush()
                await asyncio.sleep(0.01)

    async def _probe(self, cases: int, seconds: int, append: Appender, asked: dict[tuple[str, str], float]) -> None:
        """People whom nobody has seen before were at places of cases; each was there for forty minutes of its hour."""
        names = Pseudonymiser(KEY)
        for n in range(seconds * PROBES_A_SECOND):
            case, person = n * 7 % cases, 10_000_000 + n
            code = self.town.code(person)
            value = self._visit(case, person, 0.2, 40 / 60)
            asked[f"C{case}", pseudonym_text(names.digest(code.decode()))] = time.perf_counter()
            await append("scans", f"{n}", value)
            await asyncio.sleep(1 / PROBES_A_SECOND)

    async def _wait(self, answers: Answers, asked: dict[tuple[str, str], float], reading: asyncio.Task[None]) -> None:
        deadline = time.monotonic() + PATIENCE
        while missing := asked.keys() - answers.arrived.keys():
            if reading.done() or time.monotonic() > deadline:
                raise Trouble(f"{len(missing)} of {len(asked)} exposures did not come")
            await asyncio.sleep(0.1)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


@click.command(short_help="From a scan at a case's place to the exposure.")
@click.option("--cases", type=click.IntRange(1, 20_000), default=1_000, show_default=True, help="Cases that are open.")
@click.option("--rate", type=click.IntRange(50, 200_000), default=5_000, show_default=True, help="Scans a second.")
@click.option("--seconds", type=click.IntRange(2, 600), default=20, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True)
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(cases: int, rate: int, seconds: int, workers: int, json_: bool, out: Path | None) -> None:
    """How long a scan at the place of an open case takes until its exposure can be read from the topic.

    Ten such scans a second, while others scan elsewhere at the rate.
    """
    result = asyncio.run(measure(cases, rate, seconds, workers, lambda words: click.echo(words, err=True)))
    write_out(result, out)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    share = {name: f"{seconds_ / result.wall:.0%}" for name, seconds_ in result.cpu.items()}
    rows = [
        ["scan → exposure, p50", f"{statistics.median(result.ms):,.0f} ms"],
        ["scan → exposure, p99", f"{quantile(result.ms, 0.99):,.0f} ms"],
        ["taken in meanwhile", f"{result.rate:,.0f} scans/s"],
        *([f"{name}, of one core", words] for name, words in share.items()),
    ]
    crew = "1 worker" if workers == 1 else f"{workers} workers"
    told = f"{len(result.ms)} probes, load {result.machine['load']:.1f}"
    table(f"{crew}, {cases:,} open cases, {rate:,} scans/s, {told}", ["", ""], rows, [""])
