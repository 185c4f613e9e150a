"""Whether the workers have their partitions: Kafka knows, since they are one consumer group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.publishing import start_admin

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

GROUP = "truyvet"


async def members(settings: Settings) -> tuple[bool, set[str]]:
    """Whether every member has its partitions (no rebalance is going on), and the ids of the members.

    A worker that was killed remains a member until its session is over: who waits for new ones has to know the old.
    """
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
        return False, set()
    finally:
        await admin.close()
    groups = [group for answer in answers for group in answer.groups]
    stable = any(state == "Stable" for _, _, state, *_ in groups)
    return stable, {member[0] for group in groups for member in group[5]}
