"""Follow the topic `exposures`: highest revision of each id wins, withdrawn ones and tombstones go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click

from console.publishing import partitions_of, start_consumer
from console.tables import as_json

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


class Standing:
    """What stands, from records of `exposures` in any order and any number of times.

    Only the revision decides (messages.md, `exposures`): after a take-over an older record can come behind a newer one.
    """

    def __init__(self) -> None:
        self._latest: dict[str, dict[str, Any]] = {}

    def take(self, key: bytes | None, value: bytes | None) -> dict[str, Any] | None:
        """Take in one record; returns its content when it is news, None when it is old or a tombstone."""
        if value is None:
            # Age ended it. Nothing about this id can follow but a new life with a higher revision.
            if key is not None:
                self._latest.pop(key.decode(), None)
            return None
        record: dict[str, Any] = json.loads(value)
        known = self._latest.get(record["exposure_id"])
        if known is not None and known["revision"] >= record["revision"]:
            return None
        self._latest[record["exposure_id"]] = record
        return record

    def records(self) -> list[dict[str, Any]]:
        """All that stand."""
        return [record for record in self._latest.values() if record["status"] != "withdrawn"]


async def changes(
    settings: Settings, standing: Standing, since: dict[int, int] | None = None
) -> AsyncIterator[list[dict[str, Any]] | None]:
    """News of `exposures` from its beginning (or from the offsets `since`, by partition), poll by poll, for ever.

    None comes once: everything that was there at the call has been taken in.
    """
    from aiokafka import TopicPartition

    name, many = settings.topic_prefix + "exposures", await partitions_of(settings, "exposures")
    parts = [TopicPartition(name, number) for number in range(many["exposures"])]
    consumer = await start_consumer(settings, max_poll_records=2000)
    try:
        consumer.assign(parts)
        behind = await consumer.end_offsets(parts)
        for part in parts:
            if since is None:
                await consumer.seek_to_beginning(part)
            else:
                consumer.seek(part, since.get(part.partition, 0))
        caught_up = False
        while True:
            found = await consumer.getmany(timeout_ms=200)
            news = [
                record
                for records in found.values()
                for message in records
                if (record := standing.take(message.key, message.value)) is not None
            ]
            if news:
                yield news
            if not caught_up and all([await consumer.position(part) >= behind[part] for part in parts]):
                caught_up = True
                yield None
    finally:
        await consumer.stop()


async def follow_exposures(settings: Settings, case_id: str | None, json_: bool) -> None:
    """Print what stands, then every change, until the program is stopped."""
    from console.commands.exposures import COLUMNS, row, show

    standing = Standing()
    started = False
    async for news in changes(settings, standing):
        if news is None:
            started = True
            show([r for r in standing.records() if case_id in (None, r["case_id"])], json_)
            continue
        for record in news if started else ():
            if case_id not in (None, record["case_id"]):
                continue
            if json_:
                as_json(record)
                continue
            of = dict(zip(COLUMNS, row(record), strict=True))
            what = f"{of['score']} {of['band']}, {of['min']} min, {of['certainty']}"
            if record["status"] == "withdrawn":
                what = record.get("reason") or ""
            click.echo(
                f"{record['issued_at']}  {record['status']:9}  {of['case']}  {of['person']}  {what}"
                f"  (#{record['revision']})"
            )
