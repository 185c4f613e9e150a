"""Keep what stands in a table of your own: an exposure a row, always the highest revision.

    TRUYVET_KAFKA=host:port python follow_exposures.py [--db exposures.db] [--once]

Rows and the place in the topic move in one transaction, so this can be killed at any moment. What the case desk does
with a change goes where `on_change` is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

SCHEMA = """
CREATE TABLE IF NOT EXISTS exposures (exposure_id TEXT PRIMARY KEY, revision INTEGER, status TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS place (partition INTEGER PRIMARY KEY, next INTEGER);
"""
# One statement decides: an older revision changes nothing, so records may come twice and in any order.
UPSERT = """
INSERT INTO exposures VALUES (:exposure_id, :revision, :status, :body)
ON CONFLICT (exposure_id) DO UPDATE SET revision = excluded.revision, status = excluded.status, body = excluded.body
WHERE excluded.revision > exposures.revision
"""


def on_change(record: dict[str, Any]) -> None:
    """Raised, updated or withdrawn (then with a `reason`)."""
    print(record["status"], record["case_id"], record["person"], record.get("minutes"), record.get("band"), flush=True)


def take(db: sqlite3.Connection, key: str, value: bytes | None) -> dict[str, Any] | None:
    """Take one record in; the exposure when it is news."""
    if value is None:  # too old to be kept any longer: end of its life
        db.execute("DELETE FROM exposures WHERE exposure_id = ?", (key,))
        return None
    record = json.loads(value)
    changed = db.execute(UPSERT, {**record, "body": value.decode()}).rowcount
    return record if changed else None


async def follow(db: sqlite3.Connection, once: bool) -> None:
    topic = os.environ.get("TRUYVET_TOPIC_PREFIX", "") + "exposures"
    # No group: the place is kept with the rows, where it cannot be ahead of them.
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=os.environ.get("TRUYVET_KAFKA", "127.0.0.1:9092"),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer:
        parts = sorted(consumer.assignment())
        for number, place in db.execute("SELECT partition, next FROM place"):
            consumer.seek(TopicPartition(topic, number), place)
        ends = await consumer.end_offsets(parts)
        while True:
            found = await consumer.getmany(timeout_ms=500)
            news = []
            with db:  # one transaction
                for part, records in found.items():
                    taken = [take(db, record.key.decode(), record.value) for record in records]
                    news += [record for record in taken if record is not None]
                    db.execute("INSERT OR REPLACE INTO place VALUES (?, ?)", (part.partition, records[-1].offset + 1))
            for record in news:
                on_change(record)
            if once and all([await consumer.position(part) >= ends[part] for part in parts]):
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", default="exposures.db", help="SQLite file to keep what stands in")
    parser.add_argument("--once", action="store_true", help="end when all that is there now was taken in")
    args = parser.parse_args()
    db = sqlite3.connect(args.db)
    db.executescript(SCHEMA)
    asyncio.run(follow(db, args.once))


if __name__ == "__main__":
    main()
