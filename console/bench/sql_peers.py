"""PostgreSQL and DuckDB beside `truyvet bench case`: the same scans from a file, the same cases, the natural query.

Their programs are in tests/bench/peers of a checkout and run in .peers/venv (install.sh there brings it). What they
answer is who is F1, and nothing else: no episodes, no score, nothing is published, nothing changes what stands.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from console.bench import foreign
from console.bench.contenders import Child, said
from console.bench.outings import Outings
from console.bench.results import dates_of
from streams.rules.policy import load_policies
from streams.rules.window import infectious_window

NAMES = {"postgres": "PostgreSQL", "duckdb": "DuckDB"}
NEAR = 0.02  # rule 3 has more to it than the peers' visits: so far may their F1 be from ours
VENUE_TYPE = "other"  # no venue of the town is registered
SERVER = "15"  # the release of PostgreSQL that is taken where there are several


class Answered(msgspec.Struct, frozen=True):
    """What a peer wrote: seconds until it could be asked, bytes on disk (table and indexes), and of every case ms and
    the numbers on the cards of its F1."""

    version: str
    loaded_s: float
    disk: int
    ms: list[float]
    f1: list[list[int]]


class Beside(msgspec.Struct, frozen=True):
    """A peer in the result, without the case it warmed up with. `off`: by how much the F1 of the case that differs
    most differ from ours, as a share of ours."""

    title: str
    loaded_s: float
    disk: int
    ms: list[float]
    f1: list[int]
    off: float


class Job(NamedTuple):
    """What the peers are given: figures in seconds, the window of all cases in seconds UTC, the numbers on their cards.
    `least`: seconds from which somebody is F1."""

    dwell: int
    max_stay: int
    linger: int
    least: int
    window: tuple[int, int]
    people: list[int]

    @classmethod
    def of(cls, outings: Outings, cases: int) -> Job:
        """The cases of a run, the one to warm up with first."""
        town = outings.town
        policy = load_policies().of_day(town.first_day)
        kind = policy.venue_type(VENUE_TYPE)
        window = infectious_window(*dates_of(town), None, None, policy)
        people = [int(town.code(person)) for person in outings.people[: cases + 1]]
        return cls(kind.dwell * 60, kind.max_stay * 60, kind.linger * 60, policy.min_minutes * 60, window, people)


def missing() -> dict[str, str]:
    """Those that are not installed → the command that installs them."""
    venv = [] if (foreign.ROOT / ".peers/venv/.installed").exists() else ["python"]
    needs = {"postgres": venv if programs() else [*venv, "postgres"], "duckdb": venv}
    where = "" if (foreign.ROOT / foreign.HERE).is_dir() else " in a checkout of Truyvet"
    return {
        name: " && ".join(f"{foreign.HERE}/install.sh {part}" for part in parts) + where
        for name, parts in needs.items()
        if parts
    }


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None: there is none."""
    releases = sorted(Path("/usr/lib/postgresql").glob("[0-9]*"), key=lambda path: float(path.name))
    releases.sort(key=lambda path: path.name == SERVER)
    found = [path / "bin" for path in releases if (path / "bin/initdb").exists()]
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def write_scans(outings: Outings, file: Path) -> None:
    """All scans of the town and of the cases, as lines of card, venue, second UTC, 1 = out: numbers, which suits the
    peers."""
    with file.open("wb") as out:
        for part in outings.town.columns():
            rows = zip(part.code.tolist(), part.venue.tolist(), part.at.tolist(), part.out.tolist(), strict=True)
            out.write(b"".join([b"%d,%d,%d,%d\n" % row for row in rows]))
        for code, venue, begin, end in outings.rows():
            out.write(b"%d,%d,%d,0\n%d,%d,%d,1\n" % (code, venue, begin, code, venue, end))


async def measure(
    names: Sequence[str], outings: Outings, cases: int, ours: Sequence[int], tell: Callable[[str], None]
) -> list[Beside]:
    """One after the other; `ours` = F1 of every case but the first. Raises Trouble."""
    found = []
    with tempfile.TemporaryDirectory(prefix="truyvet-peer-", ignore_cleanup_errors=True) as folder:
        scans = Path(folder) / "scans.csv"
        write_scans(outings, scans)
        for name in names:
            answered = await ask(name, scans, Job.of(outings, cases), tell)
            f1 = [len(people) for people in answered.f1[1:]]
            off = max(abs(n - of_us) / max(of_us, 1) for n, of_us in zip(f1, ours, strict=True))
            found.append(Beside(answered.version, answered.loaded_s, answered.disk, answered.ms[1:], f1, off))
    return found


async def ask(name: str, scans: Path, job: Job, tell: Callable[[str], None] = lambda _: None) -> Answered:
    """One peer, from its load to its last answer. Raises Trouble."""
    with tempfile.TemporaryDirectory(prefix="truyvet-peer-", ignore_cleanup_errors=True) as folder:
        answer = Path(folder) / "answer.json"
        order: dict[str, Any] = {"scans": str(scans), "folder": folder, "answer": str(answer), **job._asdict()}
        (Path(folder) / "job.json").write_bytes(msgspec.json.encode({**order, "programs": str(programs() or "")}))
        program = foreign.ROOT / foreign.HERE / f"sql_{name}.py"
        command = [str(foreign.ROOT / ".peers/venv/bin/python"), str(program), f"{folder}/job.json"]
        child = Child(command, {}, Path(folder) / "log")
        try:
            for line, words in ((b"loaded", "has loaded the scans"), (b"answered", "has answered")):
                await said(child, line)
                tell(f"{NAMES[name]} {words}")
            return msgspec.json.decode(answer.read_bytes(), type=Answered)
        finally:
            child.stop()


def warnings(besides: Sequence[Beside]) -> list[str]:
    """Of those that did not find what we found: their time is not to be compared."""
    return [
        f"{peer.title}: F1 of a case differ from ours by {peer.off:.1%}, and may by {NEAR:.0%}: not comparable"
        for peer in besides
        if peer.off > NEAR
    ]
