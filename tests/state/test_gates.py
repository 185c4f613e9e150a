"""What gateways sent: the same numbers however records are cut into batches, and however often batches come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from statistics import median_low
from typing import Any

import numpy as np
import pytest

from schemas.decoding import decode_scan_records
from streams.rules.days import local_day
from streams.state import gates
from streams.state.gates import Gate
from streams.steps.gates import Gates
from tests.simulation.checks import DirectStore
from tests.simulation.kafka import Record
from tests.simulation.redis import RedisServer, private_server

NOW = 1_640_970_000  # late on a local day, so that some records are of the next


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Worker:
    def __init__(self, server: RedisServer) -> None:
        self.store = DirectStore(server)


def some_records(rng: Random) -> list[Record]:
    made = []
    for offset in range(rng.randrange(1, 25)):
        stamp = (NOW + rng.choice((0, 1, 1, 2, 3600, 90_000)) + rng.randrange(3)) * 1000 + rng.choice((0, 500))
        scans: list[Any] = [
            {
                "scan_id": "s",
                "venue_id": "v",
                "person": f"{rng.randrange(9):012}",
                "scanned_at": stamp - rng.randrange(-20, 900) * 1000,
                "gateway_id": f"g{rng.randrange(3)}",
            }
            for _ in range(rng.choice((1, 1, 3)))
        ]
        if rng.random() < 0.2:
            scans[0] = {"no": "scan"}
        key = rng.choice((None, b"g0", b"g1", b"\xff", b""))
        made.append(Record("scans", 0, offset, stamp, key, json.dumps(scans).encode(), ()))
    return made


def wanted(records: list[Record], refused: set[tuple[int, int]]) -> dict[str, Gate]:
    """One by one."""
    seen: dict[str, list[tuple[int, int, int, bool]]] = {}  # gateway → (timestamp, offset of record, second, kept)
    rejects: dict[str, list[int]] = {}
    for record in records:
        for index, content in enumerate(json.loads(record.value or b"")):
            if "gateway_id" in content:
                kept = (record.offset, index) not in refused
                row = (record.timestamp, record.offset, content["scanned_at"] // 1000, kept)
                seen.setdefault(content["gateway_id"], []).append(row)
            elif record.key in (b"g0", b"g1"):
                rejects.setdefault(record.key.decode(), []).append(record.timestamp)
    found = {}
    for name in seen.keys() | rejects.keys():
        rows, bad = seen.get(name, []), rejects.get(name, [])
        newest = max([row[0] for row in rows] + bad)
        today = local_day(newest // 1000)
        of_record = {row[:2] for row in rows}
        offsets = [(at, median_low(s * 1000 - t for t, o, s, _ in rows if (t, o) == (at, n))) for at, n in of_record]
        found[name] = Gate(
            today,
            sum(kept and local_day(t // 1000) == today for t, _, _, kept in rows),
            sum(not kept and local_day(t // 1000) == today for t, _, _, kept in rows)
            + sum(local_day(t // 1000) == today for t in bad),
            newest,
            max((s for _, _, s, kept in rows if kept), default=0),
            *max(offsets, default=(0, 0)),
        )
    return found


@pytest.mark.parametrize("seed", range(100))
async def test_the_same_however_batches_are_cut_and_come_again(server: RedisServer, seed: int) -> None:
    rng = Random(seed)
    server.begin()
    records = some_records(rng)
    refused = {(record.offset, index) for record in records for index in range(3) if rng.random() < 0.2}
    workers = [Gates(Worker(server)), Gates(Worker(server))]  # type: ignore[arg-type]
    done = 0
    while done < len(records):
        first = rng.randrange(max(0, done - 3), done + 1)
        batch = records[first : first + rng.randrange(1, 6)]
        if rng.random() < 0.2:
            workers[0] = Gates(Worker(server))  # type: ignore[arg-type]
        columns, problems = decode_scan_records([r.value for r in batch], [r.headers for r in batch])
        places = zip(columns.record.tolist(), columns.index.tolist(), strict=True)
        keep = np.array([(batch[r].offset, i) not in refused for r, i in places], bool)
        await rng.choice(workers).add(batch, columns, keep, problems)
        done = max(done, batch[-1].offset + 1)
    assert await gates.read(DirectStore(server), 0) == wanted(records, refused)


def test_two_partitions_are_one_gateway() -> None:
    a, b = Gate(9, 4, 1, 9_000, 7, 9_000, -5), Gate(9, 3, 0, 8_000, 9, 8_000, 70)
    assert gates.joined(a, b) == gates.joined(b, a) == Gate(9, 7, 1, 9_000, 9, 9_000, -5)
    assert gates.joined(a, b._replace(day=8)) == Gate(9, 4, 1, 9_000, 9, 9_000, -5), "yesterday's are not today's"
