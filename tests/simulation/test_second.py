"""Published F2 (rule 6, `publish_f2`): whatever the interleaving, what stands is the brute force's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from streams.state.spans import Span
from streams.steps.contacts import Scene
from streams.steps.evaluation import Evaluation
from streams.steps.reading import Found, Looked
from streams.steps.worker import Worker
from tests.simulation.checks import published
from tests.simulation.faults import Plan
from tests.simulation.history import Options, real_steps
from tests.simulation.process import Steps
from tests.simulation.redis import RedisServer, private_server
from tests.simulation.running import run_history, run_seeds
from tests.simulation.second import make_second_world, race_of_second

WORLDS = Options(world=make_second_world)
RACES = Options(world=race_of_second, race=True)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as server:
        yield server


@pytest.mark.parametrize("options", [WORLDS, RACES], ids=["worlds", "races"])
def test_what_stands_is_the_brute_force(server: RedisServer, options: Options) -> None:
    seen: Counter[str] = Counter()
    for seed in range(30):
        history, failure = run_history(seed, server, options)
        assert failure is None, failure.text()
        seen.update(f"{content['level']} {content['status']}" for _, content in published(history.kafka))
        for _, content in published(history.kafka):
            judged = [name for name in ("score", "band", "advice") if name in content]
            assert judged == ([] if content["status"] == "withdrawn" else ["score", "band", "advice"])
            assert content["level"] == "F1" or not any(content.get(name) for name in judged)
    assert seen["F2 raised"] > 4, seen  # it was about F2


class _Unwatched(Evaluation):
    """The places of the F1s are looked at, and nobody is told to look out for them."""

    async def _watch(self, looked: Looked, found: Found, scene: Scene, spans: list[Span]) -> None:
        pass


def test_without_watching_the_f1s_places_it_is_noticed(server: RedisServer) -> None:
    def steps(worker: Worker) -> Steps:
        return replace(real_steps(worker), evaluation=_Unwatched(worker))

    _, failures = run_seeds(range(30), server, Options(steps, Plan((), 1, 0), world=race_of_second, race=True))
    assert failures
