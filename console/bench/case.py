"""`truyvet bench case`: from a case's report to its last exposure on the topic; releasing and withdrawing thousands."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import psutil

from console.bench import sql_peers
from console.bench.answers import Answers
from console.bench.appender import Appender
from console.bench.contenders import Child, opened
from console.bench.foreign import tell_missing
from console.bench.meter import Meter
from console.bench.outings import Outings
from console.bench.results import machine, quantile, report_of, worker_of, write_out
from console.bench.system import System
from console.bench.town import Town, time_text
from console.publishing import Publisher, send_keyed
from console.tables import as_json, table
from console.trouble import Trouble
from streams.rules.policy import BUILT_IN
from streams.runtime.settings import Settings
from streams.state.generation import read_offsets
from streams.state.public import read_lag

LOOK, IDLE, MOST_LOOKS = 0.2, 0.2, 600  # seconds; share of a core; looks
GATE = 4_200  # F1 above which a case waits for a decision here: those of 3,000 are published, those of 5,000 held
FEWEST = 200_000  # scans: of fewer, too few people are in the places for a case of more than that
PATIENCE, COUNTED = 60.0, 900.0
FIGURES = ("exposures", "worker_ms", "redis_ms", "kafka_ms")


class Took(msgspec.Struct, frozen=True):
    """One case: ms from its record's append until the last exposure was read back from the topic, how many, and CPU
    ms by process in that time."""

    ms: float
    exposures: int
    worker_ms: float
    redis_ms: float
    kafka_ms: float


class Result(msgspec.Struct, frozen=True):
    machine: dict[str, Any]
    scans: int
    loaded_s: float
    cases: list[Took]
    release: Took
    withdrawal: Took
    shared: int
    besides: list[sql_peers.Beside] = []


async def measure(
    scans: int, cases: int, tell: Callable[[str], None] = lambda _: None, peers: Sequence[str] = ()
) -> Result:
    """Ours, then the `peers` (console/bench/sql_peers.py). Raises Trouble, also where not exactly the right exposures
    were withdrawn."""
    outings = Outings(Town(scans, int(time.time())), cases)
    result = await _ours(outings, cases, tell)
    if not peers:
        return result
    # Kafka, Redis and worker are gone by now: a peer has the machine for itself, as they had.
    besides = await sql_peers.measure(peers, outings, cases, [took.exposures for took in result.cases], tell)
    return msgspec.structs.replace(result, besides=besides)


async def _ours(outings: Outings, cases: int, tell: Callable[[str], None]) -> Result:
    async with System() as system:
        settings = await system.fresh("case.")
        with tempfile.TemporaryDirectory(prefix="truyvet-bench-") as folder:
            policies = str(_policies(Path(folder) / "policies"))
            worker = worker_of(settings, Path(folder) / "log", TRUYVET_POLICIES=policies)
            try:
                bench = _Bench(settings, outings, {"worker": worker.pid, **system.pids()}, tell)
                return await bench.run(cases, worker)
            except psutil.NoSuchProcess:
                worker.lines()  # says what it ended with
                raise
            finally:
                worker.stop()


def _policies(folder: Path) -> Path:
    """The built-in policies with another gate."""
    folder.mkdir()
    for file in BUILT_IN.glob("*.toml"):
        lines = file.read_text("utf-8").splitlines()
        changed = [f"approval_above = {GATE}" if line.startswith("approval_above") else line for line in lines]
        if changed == lines:
            raise Trouble(f"{file.name} has no line approval_above")
        (folder / file.name).write_text("\n".join(changed) + "\n", "utf-8")
    return folder


class _Bench:
    def __init__(self, settings: Settings, outings: Outings, pids: dict[str, int], tell: Callable[[str], None]) -> None:
        self.settings, self.outings, self.town = settings, outings, outings.town
        self._pids, self._tell = pids, tell
        self._records = 0

    async def run(self, cases: int, worker: Child) -> Result:
        town, people = self.town, self.outings.people
        began = time.monotonic()
        await self._publish(value for value, _ in town.records())
        await self._publish(self.outings.records())
        await self._taken_in(worker)
        loaded = time.monotonic() - began
        self._tell(f"{town.scans:,} scans loaded in {loaded:.0f} s")
        async with Answers(self.settings, worker.lines) as answers, Appender(self.settings) as self._append:
            found = []
            for n, person in enumerate(people[: cases + 1]):
                took = await self._report(answers, f"C{n}", person)
                if n:  # the first one warms up
                    found.append(took)
                self._tell(
                    f"case {n}: {took.exposures:,} F1, {took.ms:.0f} ms "
                    f"(CPU ms: worker {took.worker_ms:.0f}, Redis {took.redis_ms:.0f})"
                )
            release = await self._release(answers, people[cases + 1])
            self._tell(f"release of {release.exposures:,}: {release.ms:.0f} ms")
            withdrawal, shared = await self._withdraw(answers, f"C{cases}", people[cases], people[cases + 2])
        return Result(machine(), town.scans, loaded, found, release, withdrawal, shared)

    # -- the load

    async def _publish(self, records: Iterable[bytes]) -> None:
        async with Publisher(self.settings, "scans") as out:
            for value in records:
                await out.add(value)
            self._records += out.records

    async def _taken_in(self, worker: Child) -> None:
        done, moved = 0, time.monotonic()
        async with opened(self.settings) as store:
            while done < self._records:
                worker.lines()
                before = done
                done = sum(n for (topic, _), n in (await read_offsets(store)).items() if topic == "scans")
                if done > before:
                    moved = time.monotonic()
                elif time.monotonic() - moved > PATIENCE:
                    raise Trouble(f"no scan was taken in for {PATIENCE:.0f} s")
                await asyncio.sleep(0.2)
            # Weeks in one go leave minutes of counting for dashboards, which no case of a province that scans on meets.
            until = time.monotonic() + COUNTED
            while await read_lag(store) and time.monotonic() < until:
                await asyncio.sleep(0.2)

    # -- what is measured

    async def _report(self, answers: Answers, case_id: str, person: int) -> Took:
        return await self._timed(answers, case_id, "cases", self._case(case_id, person, "confirmed"), "open", 1)

    def _case(self, case_id: str, person: int, status: str) -> bytes:
        return report_of(self.town, case_id, person, status)

    async def _release(self, answers: Answers, person: int) -> Took:
        await send_keyed(self.settings, "cases", [("HELD", self._case("HELD", person, "confirmed"))])
        await answers.until("HELD", "held")
        await answers.quiet(1.0)
        if not answers.of("HELD").held:
            raise Trouble("the case that was to be held is not")
        at = time_text(int(time.time())).decode()
        value = msgspec.json.encode({"decision": "release", "case_id": "HELD", "at": at, "by": "bench"})
        return await self._timed(answers, "HELD", "decisions", value, "open", 1)

    async def _withdraw(self, answers: Answers, case_id: str, person: int, other: int) -> tuple[Took, int]:
        """The withdrawal, and how many of its persons another case has as well. Raises Trouble when it is wrong."""
        await self._report(answers, "OTHER", other)
        await answers.quiet(1.0)
        mine, others = answers.of(case_id).standing(), answers.of("OTHER").standing()
        took = await self._timed(answers, case_id, "cases", self._case(case_id, person, "withdrawn"), "withdrawn", 0)
        await answers.quiet(1.0)
        right = not answers.of(case_id).standing() and answers.of("OTHER").standing() == others
        if not right or took.exposures != len(mine):
            raise Trouble(
                f"{took.exposures} withdrawn of {len(mine)}, and the other case's "
                f"{'as they were' if right else 'not as they were'}"
            )
        return took, len(mine & others)

    async def _idle(self) -> None:
        """What hangs on the case before (follow-ups, clusters) is done: the next one is measured by itself."""
        for _ in range(MOST_LOOKS):
            with Meter({"worker": self._pids["worker"]}) as meter:
                await asyncio.sleep(LOOK)
            if meter.cpu["worker"] < IDLE * LOOK:
                return

    async def _timed(self, answers: Answers, case_id: str, topic: str, value: bytes, state: str, f1: int) -> Took:
        await answers.quiet(0.3)
        await self._idle()
        before = answers.of(case_id).read
        with Meter(self._pids) as meter:
            began = time.perf_counter()
            await self._append(topic, case_id, value)
            done = await answers.until(case_id, state, f1)
        cpu = {name: seconds * 1e3 for name, seconds in meter.cpu.items()}
        return Took((done - began) * 1e3, answers.of(case_id).read - before, cpu["worker"], cpu["redis"], cpu["kafka"])


@click.command(short_help="From a case's report to its last exposure.")
@click.option("--scans", type=click.IntRange(FEWEST, 50_000_000), default=1_000_000, show_default=True)
@click.option("--cases", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--peers", is_flag=True, help="PostgreSQL and DuckDB on the same scans as well (docs/bench/README.md).")
@click.option("--json", "json_", is_flag=True, help="Print everything measured as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file, too.")
def command(scans: int, cases: int, peers: bool, json_: bool, out: Path | None) -> None:
    """How long a case takes, from its record's append to its last exposure read back from the topic.

    One worker, fourteen days of a town, cases of some 3,000 F1 one after the other; then 5,000 held exposures that are
    released, and a case that is withdrawn while another has some of its contacts. The same with ten times as many scans
    (--scans 10000000) shows that it grows with contacts and not with scans. A minute a million scans.
    """
    names = _installed() if peers else []
    result = asyncio.run(measure(scans, cases, lambda words: click.echo(words, err=True), names))
    write_out(result, out)
    for words in sql_peers.warnings(result.besides):
        click.echo(words, err=True)
    if json_:
        as_json(msgspec.to_builtins(result))
        return
    _print(result)
    if result.besides:
        _print_besides(result)


def _installed() -> list[str]:
    """The peers that are here; of the others, how to bring them."""
    lacking = sql_peers.missing()
    tell_missing({sql_peers.NAMES[name]: how for name, how in lacking.items()})
    return [name for name in sql_peers.NAMES if name not in lacking]


def _print(result: Result) -> None:
    ms = [took.ms for took in result.cases]
    found = [
        ("case reported, p50", statistics.median(ms), result.cases),
        ("case reported, p95", quantile(ms, 0.95), result.cases),
        ("5,000 held released", result.release.ms, [result.release]),
        (f"withdrawn, {result.shared:,} of them shared", result.withdrawal.ms, [result.withdrawal]),
    ]
    rows = [
        [
            title,
            f"{took_ms:,.0f}",
            *(
                f"{statistics.median(getattr(t, name) for t in of):,.0f}"
                for name in ("exposures", "worker_ms", "redis_ms", "kafka_ms")
            ),
        ]
        for title, took_ms, of in found
    ]
    columns = ["", "ms", "exposures", "worker CPU ms", "Redis", "Kafka"]
    where = f"{result.machine['cores']} cores, load {result.machine['load']:.1f}"
    table(f"{result.scans:,} scans loaded, {len(result.cases)} cases, {where}", columns, rows, columns[1:])


def _print_besides(result: Result) -> None:
    ms = [took.ms for took in result.cases]
    ours = statistics.median(took.exposures for took in result.cases)
    rows = [["truyvet, to the last exposure", *_times(ms), f"{ours:,.0f}", "", f"{result.loaded_s:,.1f}", ""]]
    for peer in result.besides:
        f1, mb = statistics.median(peer.f1), f"{peer.disk / 1e6:,.0f}"
        rows.append([peer.title, *_times(peer.ms), f"{f1:,.0f}", f"{peer.off:.1%}", f"{peer.loaded_s:,.1f}", mb])
    columns = ["", "p50 ms", "p95 ms", "F1", "off by", "loaded in s", "MB on disk"]
    table("Who is F1, on the same scans", columns, rows, columns[1:])


def _times(ms: Sequence[float]) -> list[str]:
    return [f"{statistics.median(ms):,.1f}", f"{quantile(ms, 0.95):,.1f}"]
