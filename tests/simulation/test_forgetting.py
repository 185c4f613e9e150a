"""Forgetting with a clock that moves: sixteen days of a small town under the `stream` clock, with crashes and rebuilds.

Everybody scans in once a day and nobody corrects anything, so contacts are only ever added. Then whatever is withdrawn,
or shrinks, was taken back by age, which must not be (rule 10). The brute force, which forgets nothing, says what must
have stood at its best.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from streams.ports import Call
from streams.rules.days import DAY, LOCAL_OFFSET
from streams.rules.forgetting import first_kept_day
from streams.rules.policy import Policies
from streams.steps.worker import Worker
from tests.reference.answer import expected
from tests.simulation.checks import bare, check_life, check_offsets, check_revisions
from tests.simulation.faults import Plan
from tests.simulation.history import INPUTS, History, Options
from tests.simulation.kafka import Record
from tests.simulation.policies import _policy, parsed
from tests.simulation.process import Process
from tests.simulation.redis import RedisServer, private_server
from tests.simulation.worlds import KEY, MIDNIGHT, Message, World

RETENTION = 4
DAYS = 16
PEOPLE, PLACES = range(1, 8), ("v0", "v1", "v2")
CALM = Plan((), 1, 0)


def figures() -> dict[str, Any]:
    policy = _policy(Random(1), "p", MIDNIGHT // DAY - 3)
    policy["scan"] |= {"retention_days": RETENTION, "conflict_seconds": 60, "shared_code_limit": 60}
    policy["case"] = {"before_days": 1, "after_days": 2}
    policy["contact"] |= {"min_minutes": 1, "within_hours": 24, "crowd_limit": 500, "approval_above": 1000}
    for of_type in policy["venue"].values():
        of_type |= {"dwell": 30, "max_stay": 60, "linger": 0}
    return policy


def text(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()


def scan(person: int, place: str, at: int) -> Message:
    body = {"scan_id": "s", "venue_id": place, "person": f"{person:012}", "scanned_at": at * 1000, "gateway_id": "g"}
    return Message("scans", None, text(body), at * 1000)


def report(case_id: str, person: int, onset: int, **more: Any) -> Message:
    body = {
        "case_id": case_id,
        "person": f"{person:012}",
        "status": "confirmed",
        "sampled_at": onset * 1000,
        "onset_at": onset * 1000,
        "reported_at": (onset + DAY // 2) * 1000,
        "reported_by": "desk",
        **more,
    }
    return Message("cases", case_id.encode(), text(body), (onset + DAY // 2) * 1000)


def town(seed: int) -> list[list[Message]]:
    """By day. The last scan of a day is the newest record of that day: what is "now" under the stream clock."""
    rng = Random(f"{seed}/town")
    cases = {f"c{n}": (n, onset) for n, onset in ((1, 4), (2, 5), (3, 7), (4, 9))}
    days = []
    for day in range(DAYS):
        begin = MIDNIGHT + day * DAY + 8 * 3600
        today = [scan(p, rng.choice(PLACES), begin + rng.randrange(20) * 60 + p) for p in PEOPLE]
        today += [report(case, person, begin) for case, (person, onset) in cases.items() if onset == day]
        rng.shuffle(today)
        days.append(today)
    return days


class Town(History):
    """A history that is fed day by day, with the ticks of a day after each."""

    def make_worker(self, store: Any, log: Any, generation: str) -> Worker:
        worker = super().make_worker(store, log, generation)
        worker.stream_time = True
        return worker

    def live(self, today: list[Message]) -> None:
        self._in_loop(self._main(today))
        for _ in range(2):
            self._in_loop(self._evening())

    async def _evening(self) -> None:
        for process in [p for p in self._processes if isinstance(p, Process) and hasattr(p, "_steps")]:
            process.spawn("age", self._grow_older(process))
        await self._main([])

    async def _grow_older(self, process: Process) -> None:
        evaluation, combining = process._steps.evaluation, process._steps.combining
        for number in range(self.partitions):
            await evaluation.grow_older(number)  # type: ignore[attr-defined]
            combining.assign(number)  # type: ignore[attr-defined]
        await combining.tick()  # type: ignore[attr-defined]
        for _ in range(3):
            await evaluation._sweep.tick()  # type: ignore[attr-defined]

    @property
    def now(self) -> int:
        newest: int = max(r.timestamp for p in self.kafka.topics["scans"] for r in p.records) // 1000
        return newest


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


def begin(server: RedisServer, seed: int, plan: Plan | None) -> Town:
    server.begin()
    policy = figures()
    world = World([], Policies([parsed(policy)]), None, MIDNIGHT * 1000, [policy])
    history = Town(seed, server, world, Options(plan=plan))
    history.scheduler._max_steps = 300_000
    return history


def records(history: History, topic: str) -> list[tuple[Record, dict[str, Any] | None]]:
    return [
        (record, None if record.value is None else msgspec.json.decode(record.value))
        for partition in history.kafka.topics[topic]
        for record in partition.records[: partition.stable_end]
        if record.visible(True)
    ]


def by_key(history: History, topic: str) -> dict[bytes, list[dict[str, Any] | None]]:
    found: dict[bytes, list[dict[str, Any] | None]] = {}
    for record, content in records(history, topic):
        found.setdefault(record.key or b"", []).append(content)
    return found


def best(history: History) -> dict[str, dict[str, Any]]:
    """What the brute force says, which never forgets. By exposure id."""
    sent = [r for topic in INPUTS for p in history.kafka.topics[topic] for r in p.records]
    return expected(sent, KEY, history.world.figures, None).exposures


def second(moment: str) -> int:
    from schemas.times import parse_time

    return parse_time(moment) // 1000


def keys(server: RedisServer) -> list[bytes]:
    return sorted(server.call(Call("KEYS", (), ("tv:*",))))


def grew(history: Town, contents: list[dict[str, Any] | None]) -> bool:
    """A case that is reported later was there before: the cluster has an earlier beginning, and so another id."""
    had = [c for c in contents if c][-2]
    others = [c for cs in by_key(history, "clusters").values() for c in cs if c and c["status"] != "withdrawn"]
    return any(
        other["venue_id"] == had["venue_id"]
        and other["from"] < had["from"]
        and other["to"] >= had["to"]
        and set(other["cases"]) >= set(had["cases"])
        for other in others
    )


def check_by_age(history: Town) -> None:
    """What must hold in the evening of any day."""
    now = history.now
    for topic in ("exposures", "venue-alerts", "clusters"):
        for key, contents in by_key(history, topic).items():
            if topic == "clusters" and contents[-1] and contents[-1]["status"] == "withdrawn":
                assert grew(history, contents), contents
                continue
            assert not any(c and c.get("status") == "withdrawn" for c in contents), (topic, key, contents)
            if None in contents:
                assert contents.index(None) == len(contents) - 1, f"{topic}: {key!r} comes back after its end"
                had = contents[-2]
                assert had is not None
                end = second(had.get("last_at") or had.get("end") or had["to"])
                assert now >= end + (RETENTION + 1) * DAY, f"{topic}: {key!r} ended before its age"
    for contents in by_key(history, "clusters").values():
        sizes = [(len(c["cases"]), c["source_like"]) for c in contents if c and c["status"] != "withdrawn"]
        assert sizes == sorted(sizes), f"a cluster shrank: {sizes}"
    for case, contents in by_key(history, "case-status").items():
        states = [c["state"] for c in contents if c]
        assert states in (["open"] * len(states), ["open"] * (len(states) - 1) + ["closed"]), (case, states)
        if states[-1] == "closed":
            at_close, before = contents[-1], contents[-2]
            assert at_close and before
            # Age alone brought this record: it says nothing new but that the case is closed.
            assert {k: v for k, v in at_close.items() if k in ("f1", "held", "venues", "scans_of_case")} == {
                k: v for k, v in before.items() if k in ("f1", "held", "venues", "scans_of_case")
            }


def check_answers(history: Town) -> None:
    wanted = best(history)
    found = {key.decode(): contents for key, contents in by_key(history, "exposures").items()}
    assert found.keys() == wanted.keys()
    for key, contents in found.items():
        last = next(c for c in reversed(contents) if c)
        assert bare(last) == bare(wanted[key]), key
        over = history.now >= second(last["last_at"]) + (RETENTION + 1) * DAY
        assert (contents[-1] is None) == over, f"{key}: a tombstone exactly when it is old enough"


def check_redis(history: Town, server: RedisServer) -> None:
    first = first_kept_day(history.now, RETENTION)
    assert first is not None
    places = {bytes(f"{p:012}", "ascii") for p in PEOPLE}
    for key in keys(server):
        if key.startswith((b"tv:p:", b"tv:v:")):
            assert int(key[10:14], 16) >= first, key
        if key.startswith(b"tv:w:"):
            for marks in server.call(Call("HVALS", (key,))):
                for at in range(0, len(marks), 13):
                    last_day = int.from_bytes(marks[at + 11 : at + 13])
                    assert last_day >= first - (2 if marks[at : at + 1] == b"w" else 62)
        assert not any(place in key for place in places)
    days = {int(d, 16) for d in server.call(Call("HKEYS", ("tv:days",))) if d != b"swept"}
    assert days and min(days) >= first


@pytest.mark.parametrize("seed", range(8))
def test_sixteen_days(server: RedisServer, seed: int) -> None:
    history = begin(server, seed, CALM if seed < 2 else None)
    try:
        for today in town(seed):
            history.live(today)
            check_by_age(history)
        history.scheduler.strike = lambda _effect: False
        history.live([])
        check_answers(history)
        check_redis(history, server)
        wrong = check_revisions(history.kafka) + check_life(history.kafka) + check_offsets(history.kafka, server)
        assert not wrong
        ended = [c for c in by_key(history, "exposures").values() if c[-1] is None]
        assert len(ended) > 3, "a test in which nothing ends shows nothing"
        assert any(len(c["cases"]) > 1 for cs in by_key(history, "clusters").values() for c in cs if c)
    finally:
        history.close()


def lived(server: RedisServer, seed: int, days: int) -> Town:
    history = begin(server, seed, CALM)
    for today in town(seed)[:days]:
        history.live(today)
    return history


def test_months_later_nothing_is_left(server: RedisServer) -> None:
    history = lived(server, 2, DAYS)
    try:
        for days in (30, 60, 90, 90):
            history.live([scan(99, "elsewhere", MIDNIGHT + (DAYS + days) * DAY)])
        check_by_age(history)
        for topic in ("exposures", "venue-alerts", "followups", "clusters"):
            ends = [c for c in by_key(history, topic).values() if not (c[-1] and c[-1].get("status") == "withdrawn")]
            assert ends and all(c[-1] is None for c in ends), topic
        left = keys(server)
        of_persons = (b"tv:w:", b"tv:shelf:exp", b"tv:age:", b"tv:todo:")
        assert not [key for key in left if key.startswith(of_persons)]
        for key in (key for key in left if key.startswith(b"tv:body:")):
            fields = server.call(Call("HKEYS", (key,)))
            assert {field[:1] for field in fields} <= {b"s", b"c"}, "statuses, and clusters that became others"
        for key in (key for key in left if key.startswith(b"tv:said:")):
            assert all(len(row) == 8 for row in server.call(Call("HVALS", (key,)))), "its order, and nothing said"
        assert sum(key.startswith((b"tv:p:", b"tv:v:")) for key in left) == 2, "the scan of this morning, on both sides"
    finally:
        history.close()


def test_what_comes_late_for_a_closed_case_changes_nothing(server: RedisServer) -> None:
    history = lived(server, 3, 12)  # c1 began on day 3 and is closed since day 7; c4 is open
    try:
        before = {topic: len(records(history, topic)) for topic in ("exposures", "venue-alerts", "clusters")}
        day4 = MIDNIGHT + 4 * DAY + 8 * 3600
        # A gateway was cut off; its records carry the time at which they were made.
        history.live([scan(p, place, day4 + 600) for p in (5, 6, 7) for place in PLACES])
        assert {topic: len(records(history, topic)) for topic in before} == before
        # They are of a day that is forgotten, and must not lie there for ever either.
        check_redis(history, server)
    finally:
        history.close()


def test_a_rebuild_keeps_what_stands_of_closed_cases(server: RedisServer) -> None:
    history = lived(server, 4, 11)
    try:
        topics = ("exposures", "venue-alerts", "case-status", "followups", "clusters")
        standing = {t: {k: c[-1] for k, c in by_key(history, t).items()} for t in topics}
        before = {t: len(records(history, t)) for t in topics}
        assert any(c and c["case_id"] == "c3" for c in standing["exposures"].values()), "c3 is closed, and stands"
        # Kafka's own retention took the scans away meanwhile, all of them.
        for partition in history.kafka.topics["scans"]:
            partition.records[:] = [replace(record, value=b"[]", timestamp=0) for record in partition.records]
        history.rebuild()
        history.live([])
        # What is open is looked at anew, without its scans; of what is closed nothing changes.
        closed = {k for k, c in standing["case-status"].items() if c and c["state"] == "closed"}
        assert {b"c1", b"c2", b"c3"} <= closed
        for t in topics[:3]:
            now = {k: c[-1] for k, c in by_key(history, t).items()}
            for k, content in standing[t].items():
                if content and content["case_id"].encode() in closed:
                    assert now[k] == content, (t, k)
        assert before["exposures"] <= len(records(history, "exposures"))
    finally:
        history.close()


def test_a_case_dated_anew_opens_and_closes(server: RedisServer) -> None:
    history = lived(server, 5, 10)  # day 9 is over: c1 (day 4) is closed
    try:
        onset = MIDNIGHT + 8 * DAY + 8 * 3600
        moved = report("c1", 1, onset, updated_at=(onset + DAY) * 1000)
        history.live([moved])
        wanted = {k: v for k, v in best(history).items() if v["case_id"] == "c1"}
        stands = {
            k.decode(): c[-1]
            for k, c in by_key(history, "exposures").items()
            if c[-1] and c[-1]["case_id"] == "c1" and c[-1]["status"] != "withdrawn"
        }
        assert {k: bare(v) for k, v in stands.items()} == {k: bare(v) for k, v in wanted.items()} and wanted
        # And back to where it is closed: what was found for the other days is taken back, age or not. With the dates as
        # they are it would never have been raised.
        back = report("c1", 1, onset - 4 * DAY, updated_at=(onset + 2 * DAY) * 1000)
        count = len(records(history, "exposures"))
        history.live([back])
        taken = [content for _, content in records(history, "exposures")[count:]]
        assert {c["exposure_id"] for c in taken} == set(stands)
        assert {(c["status"], c["reason"]) for c in taken} == {("withdrawn", "dates_corrected")}
        states = [c["state"] for c in by_key(history, "case-status")[b"c1"] if c]
        assert states[-1] == "closed" and "open" in states[-3:]
    finally:
        history.close()


def test_a_closed_case_is_withdrawn_by_the_desk(server: RedisServer) -> None:
    history = lived(server, 6, 10)
    try:
        stood = [k for k, c in by_key(history, "exposures").items() if c[-1] and c[-1]["case_id"] == "c2"]
        assert stood
        onset = MIDNIGHT + 5 * DAY + 8 * 3600
        history.live([report("c2", 2, onset, status="withdrawn", updated_at=(onset + 9 * DAY) * 1000)])
        for key in stood:
            last = by_key(history, "exposures")[key][-1]
            assert last is None or (last["status"], last["reason"]) == ("withdrawn", "case_withdrawn")
    finally:
        history.close()


def test_days_are_local() -> None:
    assert (MIDNIGHT + LOCAL_OFFSET) % DAY == 0
