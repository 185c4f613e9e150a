"""Keeps the board up to date from Kafka: statuses, alerts, clusters; the newest audit lines; exposures from now on."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from console.deskpage.board import AUDIT, EXPOSURES, LINES, TOPICS, Board
from console.publishing import partitions_of, start_consumer

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

logger = logging.getLogger("truyvet.desk")
_POLL_MS = 150
_PAUSE = 1.0


async def follow(settings: Settings, board: Board) -> None:
    """For ever. A Kafka that is away is waited for; what was read before stays on the page."""
    while True:
        try:
            await _follow(settings, board)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # Kafka's client has dozens; none may end the page
            logger.warning("reading topics: %s; again in %g s", type(error).__name__, _PAUSE)
            await asyncio.sleep(_PAUSE)


async def _follow(settings: Settings, board: Board) -> None:
    from aiokafka import TopicPartition

    plain, names = len(settings.topic_prefix), (*TOPICS, EXPOSURES, AUDIT)
    many = await partitions_of(settings, *names)
    parts = [TopicPartition(settings.topic_prefix + name, number) for name in names for number in range(many[name])]
    consumer: Any = await start_consumer(settings, max_poll_records=2000)
    try:
        consumer.assign(parts)
        # The end first: an exposure that comes while the rest is read would else be missed.
        await consumer.seek_to_end(*[part for part in parts if part.topic[plain:] == EXPOSURES])
        rest = [part for part in parts if part.topic[plain:] in TOPICS]
        await consumer.seek_to_beginning(*rest)
        lines = [part for part in parts if part.topic[plain:] == AUDIT]
        first = await consumer.beginning_offsets(lines)
        for part, end in (await consumer.end_offsets(lines)).items():
            consumer.seek(part, max(first[part], end - LINES))
        board.audit.clear()
        behind = await consumer.end_offsets(rest)
        while True:
            found = await consumer.getmany(timeout_ms=_POLL_MS)
            for part, messages in found.items():
                for message in messages:
                    try:
                        board.take(part.topic[plain:], part.partition, message.key, message.value)
                    except (ValueError, KeyError, TypeError):  # a record that is not ours: its place, not its content
                        logger.warning("not understood: %s/%d, offset %d", part.topic, part.partition, message.offset)
            if not board.caught_up and all([await consumer.position(part) >= behind[part] for part in rest]):
                board.caught_up = True
    finally:
        await consumer.stop()
