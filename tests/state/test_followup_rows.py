"""Rows from which follow-ups are combined: of many persons at once, and an older word does not replace a newer one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from streams.rules.codes import exposure_id, pseudonym_text
from streams.state.standing import EXPOSURE, Head, Standing
from streams.steps.followups import Row, notes_of, rows_of_persons, write_rows
from tests.simulation.checks import DirectStore, now
from tests.simulation.redis import RedisServer, private_server

PERSONS = [bytes([n]) * 16 for n in range(0, 256, 2)]
"""In all buckets, several in each."""


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        running.begin()
        yield running


def _say(standing: Standing, status: str, level: str = "F1") -> list[bytes]:
    """What stands of C1 from now on, and is noted to be passed on; the bodies, by person."""
    bodies = []
    for person in PERSONS:
        text = pseudonym_text(person)
        record = {"exposure_id": exposure_id("C1", text), "revision": 1, "status": status, "level": level}
        bodies.append(msgspec.json.encode({**record, "case_id": "C1", "person": text}))
    entries = [EXPOSURE + person for person in PERSONS]
    head = Head(1, 1, status[:1].encode(), b"\0" * 16)
    now(standing.confirm("C1", {entry: (head, body) for entry, body in zip(entries, bodies, strict=True)}))
    now(standing.reserve("C1", {}, notes_of("C1", entries)))
    now(standing.confirm("C1", {}))
    return bodies


def _rows(worker: Any) -> Sequence[list[Row]]:
    return now(rows_of_persons(worker, PERSONS))


def test_an_older_owner_has_not_the_last_word(server: RedisServer) -> None:
    store = DirectStore(server)
    worker: Any = SimpleNamespace(store=store)
    former, present = Standing(store, 3), Standing(store, 3)
    now(former.own())
    said = _say(former, "raised")
    now(write_rows(former, worker))
    assert _rows(worker) == [[Row("C1", body)] for body in said]

    now(present.own())
    _say(present, "withdrawn")
    now(write_rows(present, worker))
    assert _rows(worker) == [[]] * len(PERSONS)

    # What the former one had read before it was stopped, it writes when it goes on.
    said = _say(present, "raised")
    now(write_rows(former, worker))
    assert _rows(worker) == [[]] * len(PERSONS)
    now(write_rows(present, worker))
    assert _rows(worker) == [[Row("C1", body)] for body in said]


def test_nobody_follows_up_an_f2(server: RedisServer) -> None:
    store = DirectStore(server)
    worker: Any = SimpleNamespace(store=store)
    standing = Standing(store, 3)
    now(standing.own())
    _say(standing, "raised", "F2")
    now(write_rows(standing, worker))
    assert _rows(worker) == [[]] * len(PERSONS)
