"""Faust as it comes, one event a record, in an agent that does nothing: what the batch transport is there to spare."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import faust

from console.bench.peers import Marks

app = faust.App(
    "stock",
    broker=f"kafka://{os.environ['PEER_KAFKA']}",
    store="memory://",
    datadir=tempfile.mkdtemp(prefix="stock-faust-"),
    value_serializer="raw",
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    topic_allow_declare=False,
    table_standby_replicas=0,
    web_enabled=False,
    autodiscover=False,
)
scans = app.topic(os.environ["PEER_TOPIC"], value_type=bytes, value_serializer="raw")


@app.agent(scans)
async def on_scans(stream: Any) -> None:
    marks = Marks()
    async for _ in stream:
        marks.add(1)


def main() -> None:
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
