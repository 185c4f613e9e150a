"""Rebuild: throw the Redis state away and make it anew from Kafka, without a record that the end does not need.

1. a new generation, `loading`: workers of the old one end at their next offset, new ones wait; all ledgers are owned,
   so that what one of the old still wants to publish is refused;
2. everything of ours in Redis is deleted, but for the vault;
3. own outputs are read: what was published last, and every number ever used;
4. `registry` is read: who won, pseudonymised (the inputs with codes may be gone by age);
5. `scans` is taken in, facts only; what is refused is said again (a reject counts once); what was erased goes again;
6. `ready`; every case is put on `evaluate`. What differs from what stands is published with the next number: nothing,
   when nothing differs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec

from schemas.times import parse_time
from streams.ports import Fenced, Log, Read, Store
from streams.state.cases import CaseTable
from streams.state.generation import Generation, begin_generation, offset_done, set_state
from streams.state.ledgers import read_standing
from streams.state.standing import STATUS, Standing
from streams.steps.clearing import clear, not_overtaken
from streams.steps.erase import Eraser
from streams.steps.followups import note_all, write_rows
from streams.steps.ingest import Ingest
from streams.steps.kinds import KINDS
from streams.steps.publicmeta import LOADING, say
from streams.steps.registered import put_back
from streams.steps.takeover import take_in
from streams.steps.triggers import Triggers
from streams.steps.worker import Worker

TRIES = 5  # to own a ledger, a second apart
_TAKEN_BACK = f"a worker of the former generation took a ledger back {TRIES} times; begin again"
Progress = Callable[[str, int, int], None]
Work = Callable[[], Awaitable[None]]
Together = Callable[[Sequence[Work]], Awaitable[object]]


async def one_by_one(work: Sequence[Work]) -> None:
    for each in work:
        await each()


async def was_at_work(log: Log, partitions: int) -> bool:
    """Whether this system ever published anything."""
    for topic in ("exposures", "case-status", "registry", "evaluate"):
        for partition in range(partitions):
            if await log.end(topic, partition) > 0:
                return True
    return False


async def first_start(store: Store, log: Log, partitions: int) -> Generation | None:
    """A generation for a system that never published anything; None when it needs `truyvet rebuild`.

    In the first case all inputs are read from their beginning, which is a rebuild by itself. In the second, Redis was
    emptied while Kafka holds outputs: starting to evaluate would withdraw what stands. Or a rebuild was begun that may
    never end: also one that did, if Redis then lost its last second and with it the word that it was ready.
    """
    if await was_at_work(log, partitions):
        return None
    generation = await begin_generation(store, "ready", only_first=True)
    return generation if generation.state == "ready" else None


async def rebuild(
    store: Store,
    log: Log,
    partitions: int,
    make_worker: Callable[[str], Worker],
    progress: Progress,
    together: Together = one_by_one,
) -> Generation:
    """The steps above; the new generation. `make_worker(generation)` gives the worker that takes the scans in, of
    several partitions at once if `together` does so: one is decoded while another waits for Redis.

    May be stopped at any point and begun again: until the end the state is `loading`, and nothing is published. Raises
    Fenced when another one was begun meanwhile, or workers of the former generation do not end.
    """
    generation = await begin_generation(store, "loading")
    worker = make_worker(generation.id)
    await say(store, LOADING, worker.clock.now_ms())
    as_owner = partial(_as_owner, generation.id)
    ledgers = [Standing(store, partition, line) for partition in range(partitions) for line in ("e", "c")]
    # Before anything is deleted: a worker of the former generation that found no numbers gave them out again.
    for standing in ledgers:
        await standing.own()
    await clear(store, generation.id, ledgers[0].epoch)
    # Again: a worker of the former generation may have been in the middle of a round.
    await say(store, LOADING, worker.clock.now_ms())
    for done, standing in enumerate(ledgers, 1):
        # Requests from before are answered by the evaluation of everything at the end.
        topic = "evaluate" if standing.line == "e" else "combine"
        await offset_done(store, generation.id, topic, standing.partition, await log.end(topic, standing.partition))
        await as_owner(standing, partial(take_in, standing, log, from_start=True))
        progress("published", (done + 1) // 2, partitions)
    await _newest_known(worker, ledgers)
    for partition in range(partitions):
        ledger = ledgers[2 * partition]
        async for chunk in log.tail("registry", partition, 0, committed=True):
            await as_owner(ledger, partial(put_back, store, log, chunk, ledger))
    # All rows before the first request to combine: one that saw half of them would take back what stands.
    for standing in ledgers:
        if standing.line == "e":
            await as_owner(standing, partial(note_all, standing))
            await as_owner(standing, partial(write_rows, standing, worker))
    await together([partial(_load_scans, worker, log, partition, progress) for partition in range(partitions)])
    await _erase_again(worker)
    everything = Triggers()
    table = CaseTable()
    await table.refresh(store)
    for case_id in table.rows:
        everything.everybody(case_id)
    await log.send(everything.records())
    await set_state(store, generation.id, "ready")
    return Generation(generation.id, "ready")


async def _as_owner(generation: str, standing: Standing, work: Work) -> None:
    """A worker of the former generation may own a ledger after us, until it looks whether its generation is over, and
    then ends. The rebuild that gave up for it left the system without a state. For a later rebuild it does give up."""
    for attempt in range(TRIES):
        try:
            return await work()
        except Fenced:
            await not_overtaken(standing.store, generation)
            if attempt == TRIES - 1:
                raise Fenced(_TAKEN_BACK) from None
            await asyncio.sleep(1.0)
            await standing.own()


async def _newest_known(worker: Worker, ledgers: list[Standing]) -> None:
    """How far the stream had come, as case statuses say. `scans` may be gone by age; if "now" went back with it, closed
    cases would be open again, and evaluated without their scans (rule 10)."""
    newest = 0
    async for body in read_standing(worker.store, len(ledgers) // 2, kind=STATUS):
        status = KINDS[STATUS].decode(body)
        if status.evaluated_through is not None:
            newest = max(newest, parse_time(status.evaluated_through))
    await offset_done(worker.store, worker.generation, "scans", 0, 0, newest)


async def _erase_again(worker: Worker) -> None:
    """The topic still holds scans that were erased; they must not lie in Redis."""
    await worker.people.refresh(worker.store)
    codes = sorted(worker.people.erased_codes())
    for at in range(0, len(codes), 100):
        await Eraser(worker).destroy(codes[at : at + 100])


class _Chunk:
    """Records read back, in the shape of a batch."""

    def __init__(self, topic: str, partition: int, reads: list[Read]) -> None:
        self.topic, self.partition = topic, partition
        self.first_offset, self.last_offset = reads[0].offset, reads[-1].offset
        self._messages = [
            Replayed(topic, partition, r.offset, r.key, r.value, r.timestamp, tuple(r.headers)) for r in reads
        ]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def alive(self) -> None: ...


class Replayed(msgspec.Struct, frozen=True):
    """A record read back, as a message of its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()


async def _load_scans(worker: Worker, log: Log, partition: int, progress: Progress) -> None:
    end = await log.end("scans", partition)
    ingest = Ingest(worker, looks=False)
    async for reads in log.tail("scans", partition, 0, committed=True):
        await ingest.handle(_Chunk("scans", partition, reads))
        progress(f"scans/{partition}", min(reads[-1].offset + 1, end), end)
