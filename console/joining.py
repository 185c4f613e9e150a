"""Whether the workers have their partitions: Kafka knows, since they are one consumer group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.publishing import start_admin

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

GROUP = "truyvet"


async def joined(settings: Settings, workers: int) -> bool:
    """True when so many members (or more) are in the group and no rebalance is going on."""
    from aiokafka import errors

    admin = await start_admin(settings)
    try:
        answers = await admin.describe_consumer_groups([settings.topic_prefix + GROUP])
    except (
        # A new broker has no coordinator before the first member asks for one.
        errors.GroupCoordinatorNotAvailableError,
        errors.NotCoordinatorForGroupError,
        errors.GroupLoadInProgressError,
    ):
        return False
    finally:
        await admin.close()
    for answer in answers:
        for _, _, state, _, _, members, *_ in answer.groups:
            if state == "Stable" and len(members) >= workers:
                return True
    return False
