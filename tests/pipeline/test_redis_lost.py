"""Redis is lost under running workers: emptied, started again empty, started again without its last second. Nothing is
withdrawn for it, nothing is evaluated on a hole, and what comes back is what was there."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from streams.runtime.exits import AGAIN
from tests.pipeline.answers import Found, Sent, check_answer, check_revisions, client, in_redis, records, send
from tests.pipeline.system import Servers, System, wait_until
from tests.pipeline.town import Town

SEED = random.randrange(1_000_000)
RECORD = 11
"""bytes of one scan in a fact"""


def facts(value: bytes) -> list[bytes]:
    """The scans of one value of `tv:p` or `tv:v`: a set."""
    return sorted({value[at : at + RECORD] for at in range(0, len(value), RECORD)})


def state(system: System) -> dict[str, Any]:
    """What Redis holds of the answer, in a form that two ways to it have in common: facts as sets; the rows of venues,
    cases and spans; what was published. Not the logs of tables, nor marks: one too many is no harm, and an evaluation
    that was overtaken leaves some."""
    found: dict[str, Any] = {}
    with client(system) as store:
        for key in store.scan_iter("tv:*", 1000):
            name = key.decode(errors="surrogateescape")
            if name.startswith("tv:p:"):
                found |= {f"{name} {field.hex()}": facts(value) for field, value in store.hgetall(key).items()}
            elif name.startswith("tv:v:"):
                found[name] = facts(store.get(key) or b"")
            elif name.startswith(("tv:i:", "tv:n:", "tv:{venues}:rows", "tv:{cases}:rows", "tv:{spans}:rows")):
                found |= {f"{name} {field.hex()}": value for field, value in store.hgetall(key).items()}
    found |= {f"standing {key}": content for key, content in in_redis(system).items()}
    return found


def spans(system: System) -> dict[bytes, bytes]:
    """What evaluations wrote down of cases."""
    with client(system) as store:
        return store.hgetall("tv:{spans}:rows")


def published(system: System) -> list[Found]:
    return records(system, "exposures", committed=False)


def started_empty(system: System) -> None:
    system.redis.kill()
    shutil.rmtree(system.redis.data)
    system.redis.start()


def flushed(system: System) -> None:
    with client(system) as store:
        store.flushall()


@pytest.mark.parametrize("lose", [flushed, started_empty])
def test_an_empty_redis_is_not_an_empty_world(servers: Servers, tmp_path: Path, lose: Any) -> None:
    print(f"\nseed {SEED}", end="")
    town = Town(SEED)
    late = town.messages[-40:]
    with System(servers, tmp_path) as system:
        system.worker()
        system.worker()
        send(system, town.messages[:-40])
        system.settle(90)
        check_answer(system)
        before, said = state(system), published(system)
        assert len(in_redis(system)) > 20 and any(key.startswith("tv:p:") for key in before)

        lose(system)
        assert [worker.wait(40) for worker in system.workers] == [AGAIN, AGAIN]
        left = spans(system)  # of a look that was in hand when it was emptied; it could publish nothing
        waiting = [system.worker(ready=False) for _ in range(2)]
        for worker in waiting:
            wait_until(lambda w=worker: "run `truyvet rebuild`" in w.words() or not w.alive, 40, what="words")
            assert worker.alive, worker.words()[-2000:]
        # Reasons to evaluate every case, and a whole second to do it in.
        # Only of cases that were sent before: a new one would be something new to say.
        send(system, [Sent("cases", m.key, m.value) for m in town.messages[:-40] if m.topic == "cases"])
        time.sleep(1.5)
        assert published(system) == said, "something was published on an empty Redis"
        assert spans(system) == left, "a case was evaluated on an empty Redis"

        rebuilt = system.run("rebuild", "--yes", patience=120)
        assert rebuilt.returncode == 0, rebuilt.stderr.decode()
        for worker in waiting:
            worker.wait_ready(40)
        system.settle(90)
        assert published(system) == said, "a rebuild that changes nothing publishes nothing"
        after = state(system)
        wrong = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        assert not wrong, (
            f"{len(wrong)} of {len(before)} differ: {[(k, before.get(k), after.get(k)) for k in wrong[:3]]}"
        )

        send(system, late)
        system.settle(90)
        check_answer(system)
        check_revisions(system)


def size_of_log(system: System) -> tuple[Path, int]:
    """The append-only file that is being written, and how long it is."""
    (file,) = system.redis.data.rglob("*.incr.aof")
    return file, file.stat().st_size


def test_a_redis_without_its_last_second(servers: Servers, tmp_path: Path) -> None:
    """A machine that loses power loses what was not on disk: `everysec` is a second of it. A kill -9 alone leaves it in
    the file, so the file is cut back to what it was a while before, in the middle of a command as often as not."""
    print(f"\nseed {SEED}", end="")
    rng = random.Random(SEED)
    rounds = 3
    slices = Town(SEED).slices(2 * rounds + 1)
    with System(servers, tmp_path) as system:
        for _ in range(rounds):
            worker = system.worker()
            send(system, slices.pop())
            system.settle(60)
            file, kept = size_of_log(system)
            send(system, slices.pop())
            time.sleep(rng.random() * 1.5)
            system.redis.kill()
            written = file.stat().st_size
            with file.open("r+b") as log:
                log.truncate(rng.randint(min(kept, written), written))
            system.redis.start()
            assert worker.wait(60) == AGAIN, worker.words()[-4000:]
        system.worker()
        send(system, slices.pop())
        system.settle(90)
        wanted = check_answer(system)
        check_revisions(system)
        assert len(wanted.exposures) > 20
