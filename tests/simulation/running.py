"""Many seeds: run, check, and on failure make the history small and say how to see it again."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from unittest.mock import patch
from uuid import UUID

from tests.simulation.checks import (
    OUTPUTS,
    check_finished,
    check_life,
    check_offsets,
    check_rejects,
    check_revisions,
    last_records,
    published,
)
from tests.simulation.history import NORMAL, History, Options
from tests.simulation.outcomes import Outcome, check_outcome, check_pause, held_in_ledger
from tests.simulation.redis import RedisServer


@dataclass(frozen=True)
class Failure:
    """`wrong`: what did not hold, in words. `dropped`: messages left out, by their place in the order of sending."""

    seed: int
    wrong: list[str]
    history: str
    dropped: frozenset[int] = frozenset()

    def text(self) -> str:
        drop = f" --drop {','.join(map(str, sorted(self.dropped)))}" if self.dropped else ""
        return "\n".join(
            [
                f"seed {self.seed}: {self.history}",
                *(f"  {w}" for w in self.wrong[:12]),
                f"  again: python -m tests.simulation {self.seed}{drop} --trace",
            ]
        )


@dataclass
class Tally:
    """What the histories went through, so that a report shows that they were not empty."""

    histories: int = 0
    effects: int = 0
    exposures: int = 0
    records: int = 0
    withdrawn: int = 0
    rejects: int = 0
    deaths: int = 0
    gates: int = 0
    held: int = 0
    alerts: int = 0
    clusters: int = 0
    followups: int = 0

    def add(self, history: History, wanted: Outcome) -> None:
        self.histories += 1
        self.effects += history.scheduler.step
        self.exposures += len(wanted.expected.exposures)
        self.gates += len(wanted.closed)
        self.held += len(held_in_ledger(history.kafka, history.server))
        self.alerts += len(wanted.alerts)
        self.clusters += len(wanted.clusters)
        self.followups += len(last_records(history.kafka, "followups"))
        records = [content for _, content in published(history.kafka)]
        self.records += len(records)
        self.withdrawn += sum(content["status"] == "withdrawn" for content in records)
        self.rejects += len(wanted.expected.rejects)
        self.deaths += history.deaths


def run_seed(seed: int, server: RedisServer, options: Options = NORMAL, tally: Tally | None = None) -> Failure | None:
    """One history and all checks; None when everything held."""
    return run_history(seed, server, options, tally)[1]


def run_history(
    seed: int, server: RedisServer, options: Options = NORMAL, tally: Tally | None = None
) -> tuple[History, Failure | None]:
    """The same, with the history itself (its trace)."""
    server.begin()
    world = options.world(seed)
    history = History(seed, server, world, options)
    ids = Random(f"{seed}/ids")
    try:
        with patch("streams.state.generation.uuid4", lambda: UUID(int=ids.getrandbits(128))):
            wrong = _live_and_check(history, tally)
    except Exception as error:
        wrong = ["".join(traceback.format_exception(error, limit=-6)).rstrip()]
    finally:
        history.close()
    return history, Failure(seed, wrong, history.describe(), options.dropped) if wrong else None


def _live_and_check(history: History, tally: Tally | None) -> list[str]:
    history.run()
    wanted = history.outcome()
    wrong = _at_rest(history)
    wrong += check_outcome(history.kafka, history.server, wanted)
    wrong += check_rejects(history.kafka, wanted.expected)
    if tally is not None:
        tally.add(history, wanted)
    if wrong:
        return wrong
    # (e) Nothing changed: nothing is written. Rebuilding is the longer way to the same.
    counts = {output.topic: len(published(history.kafka, output.topic)) for output in OUTPUTS}
    if history.seed % 8 == 0:
        what = "a rebuild at rest"
        history.rebuild()
    else:
        what = "delivering everything once more"
        history.redeliver()
    for topic, count in counts.items():
        now = published(history.kafka, topic)
        wrong += [f"{what} published on {topic}, must not: {content}" for _, content in now[count:]]
    wrong += _at_rest(history) + check_outcome(history.kafka, history.server, wanted)
    return wrong


def _at_rest(history: History) -> list[str]:
    wrong = (
        check_revisions(history.kafka) + check_life(history.kafka) + check_pause(history.kafka, history.alert_pause_ms)
    )
    return wrong + check_offsets(history.kafka, history.server) + check_finished(history.kafka, history.server)


def shrink(failure: Failure, server: RedisServer, options: Options, tries: int = 150) -> Failure:
    """Leave out messages while something goes wrong. The order of effects changes with it: this may not get far."""
    count = len(options.world(failure.seed).messages) * 2
    step = max(count // 4, 1)
    while step and tries > 0:
        for start in range(0, count, step):
            more = failure.dropped | frozenset(range(start, min(start + step, count)))
            if more == failure.dropped or tries <= 0:
                continue
            tries -= 1
            smaller = run_seed(failure.seed, server, replace(options, dropped=more))
            if smaller is not None:
                failure = smaller
        step //= 2
    return failure


def run_seeds(
    seeds: Iterable[int],
    server: RedisServer,
    options: Options = NORMAL,
    on_failure: Callable[[Failure], bool] = lambda _f: False,
) -> tuple[Tally, list[Failure]]:
    """All seeds; after a failure `on_failure` says whether to go on."""
    tally, failures = Tally(), []
    for seed in seeds:
        failure = run_seed(seed, server, options, tally)
        if failure is not None:
            failures.append(failure)
            if not on_failure(failure):
                break
    return tally, failures
