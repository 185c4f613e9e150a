"""What the transport itself costs: CPU time a record with an empty body. No rate, which tells of the machine's load."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.system import Servers, wait_until
from tests.pipeline.transport.scene import Scene

MANY = 400_000
VALUE = b"x" * 220  # about as long as one scan


def test_a_record_costs_less_than_five_microseconds(servers: Servers, tmp_path: Path) -> None:
    with Scene(servers, tmp_path) as scene:
        scene.kafka.produce(scene.topic, (VALUE for _ in range(MANY)), batch=4_000)
        worker = scene.start(count_only=True, concurrency=4, faust={"broker_max_poll_records": 4_000})
        wait_until(lambda: scene.said("CPU")[-1:] and scene.said("CPU")[-1][0] >= MANY, 60)
        assert worker.terminate() == 0
        spent = scene.said("CPU")
        # From the fifth batch on: imports and the join are not what is measured.
        records, cpu = spent[-1][0] - spent[4][0], spent[-1][1] - spent[4][1]
        print(f"\n{cpu / records:.2f} us of CPU a record, {MANY / len(spent):,.0f} records a batch")
        assert cpu / records < 5
