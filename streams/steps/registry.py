"""What the steps behind the registries have in common: reject or take in, tell, and say that the batch is done.

The winner goes to the topic `registry`, from which a rebuild reads it; then whatever hangs on it is evaluated. A record
that is delivered again redoes both, since the first time may have ended between two lines.
"""

from __future__ import annotations

from schemas.decoding import Problem
from schemas.encoding import encode
from schemas.registry import Registered
from streams.ports import Batch, Message, Out
from streams.rules.codes import canonical
from streams.state import vault
from streams.state.generation import offset_done
from streams.steps.rejects import reject
from streams.steps.triggers import Triggers
from streams.steps.winners import Keeper, Origin, record_digest
from streams.steps.worker import Worker


class RegistryStep:
    """`_take` one message of a topic: its effects, or what is wrong with it."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def handle(self, batch: Batch) -> None:
        triggers, out = Triggers(), []
        for message in batch:
            problem = await self._take(message, batch.topic, triggers)
            if problem is not None:
                out.append(reject(problem, message, batch.topic, self.worker.clock.now_ms(), self.worker.seal))
        out += triggers.records()
        if out:
            await self.worker.log.send(out)
        await offset_done(
            self.worker.store, self.worker.generation, batch.topic, batch.partition, batch.last_offset + 1
        )

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        raise NotImplementedError

    async def _announce(self, kind: str, keeper: Keeper, field: str | bytes) -> None:
        """Publish the row that stands, until it is the last one published.

        Two workers may set rows of one key, and the one with the older row may publish last: compaction would then
        keep the older one. So whoever published looks again.
        """
        key = field.hex() if isinstance(field, bytes) else field
        published = b""
        # No row any more: Redis was emptied under us. An empty row in the topic would be what a rebuild finds.
        while (row := await keeper.read(self.worker.store, field)) and row != published:
            record = Registered(kind=kind, key=key, row=row)
            await self.worker.log.send([Out("registry", f"{kind}/{key}".encode(), encode(record))])
            published = row

    def _digest(self, value: bytes) -> bytes:
        return record_digest(self.worker.pseudonymiser, value)

    @staticmethod
    def _origin(message: Message, topic: str) -> Origin:
        return topic, message.partition, message.offset

    async def _person(self, code: str, seen_at: int) -> bytes:
        """The pseudonym (16 bytes) of a code; the code goes to the vault, since its person may never have been scanned
        and the desk must find it all the same. `seen_at` in seconds UTC."""
        worker = self.worker
        digest = worker.pseudonymiser.digest(code)
        if worker.vault is not None:
            await vault.keep(worker.store, worker.vault, {digest: vault.Sighting(canonical(code), seen_at)})
        return digest
