"""How a worker begins, waits, ends and begins again: exit codes (streams.runtime.exits), Redis lost, rebuilds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from streams.runtime.exits import AGAIN, DONE
from streams.runtime.process import free_port
from tests.pipeline.system import Servers, System, wait_until
from tests.pipeline.test_spine import BINH, GIANG, REPORT, SCANS, VENUES, by_person, pseudonym, scan

TWO = {pseudonym(BINH), pseudonym(GIANG)}


def publish_all(system: System) -> None:
    system.publish("venues", VENUES, key="venue_id")
    system.publish("scans", SCANS)
    system.publish("cases", [REPORT], key="case_id")


def bare(records: dict[str, Any]) -> dict[str, Any]:
    return {person: {k: v for k, v in r.items() if k not in ("revision", "issued_at")} for person, r in records.items()}


def test_workers_that_start_together_share_one_generation(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        workers = [system.worker(ready=False) for _ in range(3)]
        for worker in workers:
            worker.wait_ready(60)
        publish_all(system)
        system.settle()
        assert set(by_person(system)) == TWO
        assert [worker.terminate() for worker in workers] == [DONE] * 3, "none had to start again"


def test_a_redis_that_was_restarted_ends_the_worker(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        publish_all(system)
        system.settle()
        before = by_person(system)
        system.redis.restart()
        assert worker.wait(30) == AGAIN
        assert "restarted or replaced" in worker.words()
        system.worker()
        system.publish("scans", [scan(GIANG, "pho", "12:40", "out")])
        system.settle()
        after = by_person(system)
        assert after[pseudonym(GIANG)]["status"] == "withdrawn"
        assert after[pseudonym(BINH)] == before[pseudonym(BINH)]


def test_a_redis_that_is_away_ends_the_worker_without_a_commit(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        publish_all(system)
        system.settle()
        ends = system.kafka.ends(f"{system.prefix}scans")
        wait_until(lambda: system.kafka.committed(f"{system.prefix}truyvet", f"{system.prefix}scans") == {
            p: end for p, end in ends.items() if end})  # fmt: skip
        system.redis.kill()
        system.publish("scans", [scan(GIANG, "pho", "12:40", "out")])
        assert worker.wait(75) == AGAIN
        assert system.kafka.committed(f"{system.prefix}truyvet", f"{system.prefix}scans") == {
            p: end for p, end in ends.items() if end
        }
        system.redis.start()
        system.worker()
        system.settle()
        assert by_person(system)[pseudonym(GIANG)]["status"] == "withdrawn"


def test_an_emptied_redis_withdraws_nothing_and_is_rebuilt(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        publish_all(system)
        system.settle()
        records = system.records("exposures")
        system.redis_command("FLUSHALL")
        assert worker.wait(30) == AGAIN

        waiting = system.worker(ready=False)
        wait_until(lambda: "run `truyvet rebuild`" in waiting.words())
        stopped = system.worker(ready=False)
        wait_until(lambda: "run `truyvet rebuild`" in stopped.words())
        assert stopped.terminate() == DONE, "one that waits ends at once when it is asked to"
        assert system.records("exposures") == records

        done = system.run("rebuild", "--yes", "--json")
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout)["generation"]
        waiting.wait_ready()
        system.settle()
        assert system.records("exposures") == records, "a rebuild that changes nothing publishes nothing"
        system.publish("scans", [scan(GIANG, "pho", "12:40", "out")])
        system.settle()
        assert by_person(system)[pseudonym(GIANG)]["status"] == "withdrawn"


def test_a_rebuild_under_running_workers(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        worker = system.worker()
        publish_all(system)
        system.settle()
        records = system.records("exposures")
        assert system.run("rebuild", "--yes").returncode == 0
        assert worker.wait(30) == AGAIN, "its supervisor starts another"
        system.worker()
        system.settle()
        assert system.records("exposures") == records


def test_killed_workers_leave_nothing_undone(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        for delay in (0.0, 0.3):
            worker = system.worker()
            publish_all(system)
            time.sleep(delay)
            worker.kill()
        system.worker()
        system.settle()
        found = by_person(system)
        assert set(found) == TWO
        assert {r["status"] for r in found.values()} <= {"raised", "updated"}
        assert found[pseudonym(BINH)]["minutes"] == 40


@pytest.mark.faults
def test_a_zombie_has_no_last_word(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        zombie = system.worker()
        publish_all(system)
        system.settle()
        zombie.pause()
        system.worker()
        system.publish("scans", [scan(GIANG, "pho", "12:40", "out")])
        system.settle()
        after = by_person(system)
        assert after[pseudonym(GIANG)]["status"] == "withdrawn"
        zombie.go_on()
        time.sleep(3)
        system.settle()
        assert by_person(system) == after


def test_what_a_worker_refuses_at_its_start(servers: Servers, tmp_path: Path) -> None:
    with System(servers, tmp_path) as system:
        without_key = system.worker(ready=False, TRUYVET_KEY="")
        assert without_key.wait() == 2
        assert "TRUYVET_KEY" in without_key.words()
        without_topics = system.worker(ready=False, TRUYVET_TOPIC_PREFIX="nothing-here-")
        assert without_topics.wait() == 1
        assert "run `truyvet topics` first" in without_topics.words()
        without_kafka = system.worker(ready=False, TRUYVET_KAFKA=f"127.0.0.1:{free_port()}")
        assert without_kafka.wait(60) == 1
        assert "no Kafka answers" in without_kafka.words()
        assert all("Traceback" not in worker.words() for worker in system.workers)
