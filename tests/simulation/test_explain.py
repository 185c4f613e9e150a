"""Every exposure that stands after a history can be explained: the same content, and the verifier says yes. With a
number changed, it says no."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from streams.ports import Call
from streams.steps.explain import NoExposure, explain
from streams.steps.f2 import f2_of
from tests.reference import answer
from tests.reference.records import InputRecord
from tests.reference.secondary import secondary
from tests.simulation.checks import DirectStore, bare, last_records
from tests.simulation.history import INPUTS, History, Options
from tests.simulation.makers import KEY
from tests.simulation.redis import READS, RedisServer, private_server
from tests.simulation.running import run_history
from tests.simulation.second import make_second_world

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_explanation.py"
NUMBERS = ("minutes", "direct_minutes", "indirect_minutes", "score", "points", "direct_seconds", "indirect_seconds")


class _Log:
    """Reads a record again from where it came."""

    def __init__(self, history: History) -> None:
        self._topics = history.kafka.topics

    async def origin(self, topic: str, partition: int, offset: int) -> bytes | None:
        value: bytes | None = self._topics[topic][partition].records[offset].value
        return value


class _ReadOnly(DirectStore):
    """A question must not write: nobody would take it back when something changes."""

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        written = {call.name for call in calls} - READS
        assert not written
        return await super().run(calls)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as server:
        yield server


def verified(tmp_path: Path, told: dict[str, Any]) -> int:
    file = tmp_path / "explanation.json"
    file.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    # -I: it must not be able to import anything of ours.
    return subprocess.run([sys.executable, "-I", VERIFIER, file], capture_output=True, check=False).returncode


def places(told: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in the exposure a number stands that somebody may have changed."""
    pairs = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, value in pairs:
        if key in NUMBERS and isinstance(value, (int, float)):
            yield (*path, key)
        yield from places(value, (*path, key))


def tampered(told: dict[str, Any], rng: Random) -> dict[str, Any]:
    changed = copy.deepcopy(told)
    *path, last = rng.choice(list(places(told["exposure"])))
    node = changed["exposure"]
    for key in path:
        node = node[key]
    node[last] += 1
    return changed


def test_what_stands_is_explained_and_verified(server: RedisServer, tmp_path: Path) -> None:
    explained = chained = 0
    for seed in range(200, 216):
        history, failure = run_history(seed, server, Options(world=make_second_world))
        assert failure is None, failure.text()
        worker = history.make_worker(_ReadOnly(server), _Log(history), "any")  # type: ignore[arg-type]
        stands = {id_: e for id_, e in last_records(history.kafka).items() if e["status"] != "withdrawn"}
        for id_, record in stands.items():
            if record["level"] != "F1":
                with pytest.raises(NoExposure, match="F2"):
                    asyncio.run(explain(worker, id_))
                continue
            told = json.loads(json.dumps(asyncio.run(explain(worker, id_))))
            assert bare(told["exposure"]) == bare(record)
            assert verified(tmp_path, told) == 0
            assert verified(tmp_path, tampered(told, Random(seed))) == 1
            without = copy.deepcopy(told)
            without["scans"]["contact"] = without["scans"]["contact"][1:]
            assert verified(tmp_path, without) in ((1,) if len(told["scans"]["contact"]) == 1 else (0, 1))
            assert not re.search(r"(?<![\w.])\d{12,15}(?!\w)", json.dumps(told)), "a code"
            explained += 1
        records: list[InputRecord] = [r for topic in INPUTS for p in history.kafka.topics[topic] for r in p.records]
        world = answer.World(records, KEY, history.world.figures, history.world.retention_days)
        for case_id, case in world.cases.items():
            chain = asyncio.run(f2_of(worker, case_id))
            assert chain is not None
            if case.status == "confirmed":
                assert {f2.person: f2.via for f2 in chain.f2} == secondary(world, case).via
                assert chain.f1 == sorted(world.f1(case))
                assert {(m.source, m.person) for m in chain.meetings if m.level == "F2"} == {
                    (source, f2.person) for f2 in chain.f2 for source in f2.via
                }
                chained += len(chain.f2)
    assert explained > 10
    assert chained > 2


def test_what_is_no_explanation(tmp_path: Path) -> None:
    assert verified(tmp_path, {"exposure": {}}) == 2


def test_the_verifier_stands_alone() -> None:
    text = VERIFIER.read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported <= sys.stdlib_module_names
    assert len(text.splitlines()) <= 200
