"""When the messages of a world arrive, in which order, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.simulation.kafka import Kafka
from tests.simulation.makers import Message
from tests.simulation.scheduler import Scheduler


class Deliveries:
    """What is still to be sent, and what was. `lead`: so many messages come first, then, when nothing can happen any
    more, all others at once (a race); None: shuffled, some twice, all at once or so slowly that each message meets a
    system that has done its work on those before."""

    def __init__(self, rng: Random, kafka: Kafka, scheduler: Scheduler, lead: int | None) -> None:
        self._rng, self._kafka, self._scheduler, self._lead = rng, kafka, scheduler, lead
        self._pace = rng.choice((0, 5, 20, 60))
        self._next = 0
        self._hurry = False
        self.to_send: list[Message] = []
        self.sent: list[Message] = []

    def in_some_order(self, messages: Sequence[Message]) -> list[Message]:
        order = list(messages)
        if self._lead is not None:
            rest = order[self._lead :]
            self._rng.shuffle(rest)
            return order[: self._lead] + rest
        again = self._rng.choice((0.0, 0.1, 0.3))
        order += [m for m in messages if self._rng.random() < again]
        self._rng.shuffle(order)
        if self._rng.random() < 0.3:  # cases first or last: everything rests on triggers, or on one evaluation
            last = self._rng.random() < 0.5
            order.sort(key=lambda m: (m.topic == "cases") == last)
        return order

    def due(self) -> bool:
        if not self.to_send:
            return False
        return self._hurry or (self._scheduler.step >= self._next and len(self.sent) != self._lead)

    def hurry(self) -> bool:
        """Nothing can happen: what waits for its time comes now. False: nothing waits."""
        self._hurry = bool(self.to_send)
        return self._hurry

    def deliver(self) -> None:
        """One or a few messages arrive."""
        self._hurry = False
        self._next = self._scheduler.step + self._rng.randint(0, self._pace)
        for _ in range(min(self._count(), len(self.to_send))):
            message = self.to_send.pop(0)
            number = self._kafka.partition_of(message.topic, message.key, self._rng.randrange(64))
            partition = self._kafka.partition(message.topic, number)
            partition.append(message.timestamp, message.key, message.value, message.headers)
            self.sent.append(message)
            self._scheduler.note("outside", message, f"{message.topic}/{number}@{partition.end - 1}")

    def _count(self) -> int:
        if self._lead is None:
            return self._rng.choice((1, 1, 2, 5))
        return self._lead if len(self.sent) < self._lead else len(self.to_send)
