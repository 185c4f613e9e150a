"""The process under test: a Faust app on the batch transport, whose agent writes down each record it has seen.

Options come as JSON in the first argument. What was seen goes to the file `seen`, one line `partition offset id` a
record, written at once when the body of the batch ends: it stands for effects that outlive the process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from typing import Any

from streams.runtime.app import batches_of, make_app
from streams.runtime.batch import Batching
from streams.runtime.lifetime import live
from streams.runtime.quiet import log_to_stderr
from streams.runtime.settings import Settings


class Body:
    """What the agent does with a batch: takes `seconds`, and may fail or hang at the batch that holds `at`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.seen = os.open(options["seen"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.at = options.get("at")  # [partition, offset]
        self.in_hand: set[int] = set()
        self.most = 0
        self.done = 0

    def say(self, text: str) -> None:
        os.write(self.seen, (text + "\n").encode())

    async def handle(self, batch: Any) -> None:
        if batch.partition in self.in_hand:
            self.say(f"TWICE {batch.partition}")
        self.in_hand.add(batch.partition)
        if len(self.in_hand) > self.most:
            self.most = len(self.in_hand)
            self.say(f"MOST {self.most}")
        try:
            await self._work(batch)
        finally:
            self.in_hand.discard(batch.partition)

    async def _work(self, batch: Any) -> None:
        hit = self.at is not None and (
            batch.partition == self.at[0] and batch.first_offset <= self.at[1] <= batch.last_offset
        )
        fault = self.options.get("fault") if hit else None
        self.say(f"BEGIN {batch.partition} {batch.first_offset} {batch.last_offset} {len(batch)}")
        if fault == "raise":
            raise ValueError("as asked")
        if fault == "hang":
            await asyncio.sleep(3600)
        if fault == "block":
            time.sleep(3600)  # noqa: ASYNC251 - that is the fault
        if fault == "long":
            for _ in range(10):
                await asyncio.sleep(self.options["timeout"] / 5)
                batch.alive()
        if fault == "slow" or not self.options.get("fault"):
            await asyncio.sleep(self.options.get("seconds", 0))
        if not self.options.get("count_only"):
            self.say("".join(f"{r.partition} {r.offset} {r.value.decode()}\n" for r in batch).rstrip("\n"))
        self.say(f"END {batch.partition} {batch.first_offset} {batch.last_offset} {len(batch)}")
        self.done += len(batch)
        self.say(f"CPU {self.done} {time.process_time_ns() // 1000}")


def without_codec(name: str) -> None:
    """As if cramjam were not installed."""
    import aiokafka.codec
    import aiokafka.record.default_records as records

    for module in (aiokafka.codec, records.codecs if hasattr(records, "codecs") else aiokafka.codec):
        setattr(module, f"has_{name}", lambda: False)


async def run(options: dict[str, Any]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = Settings.load({"TRUYVET_KAFKA": options["kafka"], **options.get("settings", {})})

    async def start_at(partitions: Any) -> Any:
        return dict.fromkeys(partitions, options["start_at"])

    batching = Batching(
        timeout=options.get("timeout", 30.0), start_at=start_at if options.get("start_at") is not None else None
    )
    app = make_app(settings, batching, group=options["group"], **options.get("faust", {}))
    body = Body(options)
    topics = options["topics"]
    for topic in topics:
        channel = app.topic(topic) if options.get("wrong_schema") else batches_of(app, topic)

        async def agent(stream: Any) -> None:
            async for batch in stream:
                with batch:
                    await body.handle(batch)

        app.agent(channel, name=f"agent.{topic}", concurrency=options.get("concurrency", 1))(agent)
    return await live(app, stop)


if __name__ == "__main__":
    log_to_stderr()
    wanted = json.loads(sys.argv[1])
    if "without_codec" in wanted:
        without_codec(wanted["without_codec"])
    sys.exit(asyncio.run(run(wanted)))
