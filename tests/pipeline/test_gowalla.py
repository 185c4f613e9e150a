"""All 73,610 real check-ins through the real pipeline: every exposure is the brute force's, field by field."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.answers import check_answer, check_revisions, send
from tests.pipeline.checkins import ROWS, make_messages, read_rows
from tests.pipeline.system import Servers, System

SEED = 11_042
CASES = 260


def test_real_check_ins(servers: Servers, tmp_path: Path) -> None:
    rows = read_rows()
    assert len(rows) == ROWS
    messages = make_messages(rows, SEED, CASES)
    # A batch may take long where six other things run: how fast it is, is not what this test asks.
    system = System(servers, tmp_path, env={"TRUYVET_RETENTION_DAYS": "0", "TRUYVET_BATCH_SECONDS": "150"})
    # The records bear the times of their scans: with a topic's ordinary retention Kafka would throw them away.
    forever = {"cleanup.policy": "delete", "retention.ms": "-1", "message.timestamp.type": "CreateTime"}
    system.kafka.make_topic(system.prefix + "scans", **forever)
    with system:
        for _ in range(2):
            system.worker()
        send(system, messages.early)
        send(system, messages.scans[: len(messages.scans) // 2])
        send(system, messages.cases)
        send(system, messages.scans[len(messages.scans) // 2 :])
        send(system, messages.late)
        waited = system.run("wait", "--timeout", "400", patience=420)
        assert all(worker.alive for worker in system.workers), "a worker ended: see its log"
        assert waited.returncode == 0, waited.stdout.decode()

        wanted = check_answer(system, retention_days=0)
        check_revisions(system)
        cases = {content["case_id"] for content in wanted.exposures.values()}
        print(f"\n{CASES} cases, {len(cases)} with contacts; {len(wanted.exposures)} exposures, ", end="")
        print(f"{len(wanted.rejects)} rejects; bands {sorted({c['band'] for c in wanted.exposures.values()})}")
        assert CASES >= 200 and len(wanted.exposures) >= 100
        assert {content["band"] for content in wanted.exposures.values()} == {"high", "medium", "low"}
        assert set(wanted.rejects.values()) == {"not_json", "schema", "future"}
        seen = [episode for content in wanted.exposures.values() for episode in content["episodes"]]
        for what in ("indirect_seconds", "conflict", "inferred"):
            assert any(episode[what] for episode in seen), f"no episode has {what}: the data no longer test it"
        assert {episode["role"] for episode in seen} == {"staff", "visitor"}
        assert all(worker.terminate() == 0 for worker in system.workers)
