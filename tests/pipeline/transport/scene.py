"""A topic, a group and processes of the program under test; what they have seen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.pipeline.system import Kafka, Program, Servers, wait_until

PARTITIONS = 4


class Scene:
    """`with Scene(servers, tmp_path) as scene:`; record i holds the id i and goes to partition i % 4."""

    def __init__(self, servers: Servers, folder: Path, *, kafka: str | None = None, topic: bool = True) -> None:
        self.kafka = Kafka(kafka or servers.kafka.address)
        self.name = servers.name()
        self.topic, self.group = f"{self.name}topic", f"{self.name}group"
        self.folder = folder
        self.processes: list[Program] = []
        self.produced = 0
        if topic:
            self.kafka.make_topic(self.topic)

    def __enter__(self) -> Scene:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            if process.alive:
                process.kill()

    def produce(self, many: int, **how: Any) -> None:
        ids = (str(i).encode() for i in range(self.produced, self.produced + many))
        self.kafka.produce(self.topic, ids, **how)
        self.produced += many

    def start(self, *, ready: bool = True, **options: Any) -> Program:
        number = len(self.processes)
        wanted = {
            "kafka": self.kafka.address,
            "group": self.group,
            "topics": [self.topic],
            "seen": str(self.folder / f"seen-{number}"),
            "settings": {"TRUYVET_SESSION_SECONDS": "6"},
            **options,
        }
        words = ["-m", "tests.pipeline.transport.program", json.dumps(wanted)]
        process = Program(words, self.folder / f"program-{number}.log")
        self.processes.append(process)
        if ready:
            process.wait_ready()
        return process

    # -- what was seen

    def lines(self, number: int | None = None) -> list[list[str]]:
        """Whole lines of the files `seen`, of one process or all; those of kill -9 may lack their last one's end."""
        files = [self.folder / f"seen-{n}" for n in ([number] if number is not None else range(len(self.processes)))]
        texts = [file.read_text() for file in files if file.exists()]
        return [line.split() for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]

    def seen(self, number: int | None = None) -> Counter[int]:
        """How often each id was seen."""
        return Counter(int(line[2]) for line in self.lines(number) if line[0].isdigit())

    def order(self, number: int | None = None) -> dict[int, list[int]]:
        """Partition → offsets as they were seen."""
        found: dict[int, list[int]] = {}
        for line in self.lines(number):
            if line[0].isdigit():
                found.setdefault(int(line[0]), []).append(int(line[1]))
        return found

    def said(self, word: str, number: int | None = None) -> list[list[int]]:
        return [[int(x) for x in line[1:]] for line in self.lines(number) if line[0] == word]

    def lost(self) -> set[int]:
        return set(range(self.produced)) - set(self.seen())

    def twice(self) -> int:
        return sum(self.seen().values()) - len(self.seen())

    def committed(self) -> dict[int, int]:
        return self.kafka.committed(self.group, self.topic)

    def ends(self) -> dict[int, int]:
        return self.kafka.ends(self.topic)

    def wait_seen(self, many: int | None = None, patience: float = 60.0) -> None:
        wanted = self.produced if many is None else many
        wait_until(lambda: len(self.seen()) >= wanted, patience, 0.2, f"{wanted} records seen")

    def wait_committed(self, patience: float = 20.0) -> None:
        wait_until(lambda: self.committed() == self.ends(), patience, 0.3, "committed = end")
