"""What the steps behind the registries have in common: reject or take in, tell, and say that the batch is done.

The winner goes to the topic `registry`, from which a rebuild reads it; then whatever hangs on it is evaluated. A record
that is delivered again redoes both, since the first time may have ended between two lines.

A desk that loads a whole province sends thousands of records in one fetch. They are taken in slices, each with its
offset: a worker that ends in the middle, or is ended because the batch took too long, has not worked for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from schemas.decoding import Problem
from schemas.encoding import encode
from schemas.registry import Registered
from streams.ports import Batch, Message, Out
from streams.rules.codes import canonical
from streams.state import refusals, vault
from streams.state.generation import offset_done
from streams.steps.rejects import refusal, reject
from streams.steps.triggers import Triggers
from streams.steps.winners import Keeper, Origin, record_digest
from streams.steps.worker import Worker


class RegistryStep:
    """`_take` one message of a topic, or `_take_all` of a slice together: their effects, or what is wrong with them."""

    SLICE = 100

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def handle(self, batch: Batch) -> None:
        worker = self.worker
        for messages in _slices(batch, self.SLICE):
            triggers = Triggers()
            problems = await self._take_all(messages, batch.topic, triggers, batch.alive)
            out = [
                reject(problem, message, batch.topic, worker.clock.now_ms(), worker.seal)
                for message, problem in zip(messages, problems, strict=True)
                if problem is not None
            ]
            if out:
                worker.meters.refused(batch.topic, [p.reason for p in problems if p is not None])
                refused = zip(problems, messages, strict=True)
                await refusals.add(worker.store, [refusal(p, m, batch.topic) for p, m in refused if p is not None])
            out += triggers.records()
            if out:
                await worker.log.send(out)
            await offset_done(worker.store, worker.generation, batch.topic, batch.partition, messages[-1].offset + 1)
            batch.alive()

    async def _take_all(
        self, messages: Sequence[Message], topic: str, triggers: Triggers, alive: Callable[[], None]
    ) -> list[Problem | None]:
        """`alive` after each that is taken: where a worker has all its hands full one takes half a second, and for the
        half minute of a few dozen the watchdog ended the worker, and the next one for the same records."""
        found = []
        for message in messages:
            found.append(await self._take(message, topic, triggers))
            alive()
        return found

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        raise NotImplementedError

    async def _announce(self, kind: str, keeper: Keeper, field: str | bytes) -> None:
        """Publish the row that stands, until it is the last one published."""
        await self._announce_all(kind, keeper, [field])

    async def _announce_all(self, kind: str, keeper: Keeper, fields: Iterable[str | bytes]) -> None:
        """The same of several.

        Two workers may set rows of one key, and the one with the older row may publish last: compaction would then
        keep the older one. So whoever published looks again.
        """
        left, published = list(fields), dict[str | bytes, bytes]()
        while left:
            # No row any more: Redis was emptied under us. An empty row in the topic would be what a rebuild finds.
            rows = await keeper.read_many(self.worker.store, left)
            left = [field for field in left if field in rows and rows[field] != published.get(field)]
            await self.worker.log.send([_registered(kind, field, rows[field]) for field in left])
            published.update((field, rows[field]) for field in left)

    def _digest(self, value: bytes) -> bytes:
        return record_digest(self.worker.pseudonymiser, value)

    @staticmethod
    def _origin(message: Message, topic: str) -> Origin:
        return topic, message.partition, message.offset

    async def _person(self, code: str, seen_at: int) -> bytes:
        """The pseudonym (16 bytes) of a code; the code goes to the vault, since its person may never have been scanned
        and the desk must find it all the same. `seen_at` in seconds UTC."""
        return (await self._persons([(code, seen_at)]))[0]

    async def _persons(self, codes: Sequence[tuple[str, int]]) -> list[bytes]:
        """The same of several (code, second)."""
        worker = self.worker
        digests = [worker.pseudonymiser.digest(code) for code, _ in codes]
        if worker.vault is not None:
            seen: dict[bytes, vault.Sighting] = {}
            for digest, (code, second) in zip(digests, codes, strict=True):
                if digest not in seen or seen[digest].second < second:
                    seen[digest] = vault.Sighting(canonical(code), second)
            await vault.keep(worker.store, worker.vault, seen)
        return digests


def _registered(kind: str, field: str | bytes, row: bytes) -> Out:
    key = field.hex() if isinstance(field, bytes) else field
    return Out("registry", f"{kind}/{key}".encode(), encode(Registered(kind=kind, key=key, row=row)))


def _slices(batch: Batch, size: int) -> Iterator[list[Message]]:
    messages = iter(batch)
    while some := list(islice(messages, size)):
        yield some
