"""Taking over a partition of a ledger: fence former owners, then learn what they published last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import msgspec

from streams.ports import Log, Read
from streams.state.standing import BAND_CODE, NO_BAND, NO_HEAD, NOTHING, STATUS_CODE, Head, Standing
from streams.steps.followups import notes_of
from streams.steps.kinds import COMBINED, KINDS, OF_CASES, Kind, Place, digest
from streams.steps.publish import GONE
from streams.steps.together import together

NOTE_MS = 1_000
_GONE = STATUS_CODE["gone"]


async def take_over(standing: Standing, log: Log, still_ours: Callable[[], Awaitable[None]]) -> list[str]:
    """Own a partition: fence former owners, then take in what they published last. The names to look at again.

    First Kafka's fence, so that nothing of theirs can come later; then Redis's; then the topics are read to their end.
    Redis may know less than the topics hold (a worker died between publishing and confirming, or Redis lost its last
    second): a number that a topic has seen is never used again.

    `still_ours` raises where the worker's generation is over. Asked here, since from here on nobody would refuse what
    is written: a worker that came late owned what a rebuild had owned before it, and wrote into the new state.
    """
    await log.fence(standing.partition, line=standing.line)
    await standing.own()
    await still_ours()
    await take_in(standing, log)
    return await standing.unconfirmed()


def topics_of(line: str) -> list[str]:
    """The topics that are written for a line of the ledger, all in the line's own partition."""
    return [KINDS[byte].topic for byte in (OF_CASES if line == "e" else COMBINED)]


async def take_in(standing: Standing, log: Log, *, from_start: bool = False) -> None:
    """Bring what stands up to the end of this partition of the line's topics, from where it holds them, or from their
    beginning (a rebuild: what a worker of the former generation wrote down meanwhile is not to be believed)."""
    for byte in OF_CASES if standing.line == "e" else COMBINED:
        kind = KINDS[byte]
        start = 0 if from_start else await standing.read_up_to(kind.topic)
        end = await log.end(kind.topic, standing.partition)
        if start == end:
            continue
        # Aborted records take numbers too: a reader that does not wait for commits has seen them.
        async for chunk in log.tail(kind.topic, standing.partition, start, committed=False):
            await _merge(standing, kind, chunk, stands=False)
        async for chunk in log.tail(kind.topic, standing.partition, start, committed=True):
            await _merge(standing, kind, chunk, stands=True)
        await standing.set_read_up_to({kind.topic: end})


async def note_ends(standing: Standing, log: Log, now_ms: int) -> None:
    """After a publication: what stands holds everything up to here, so that the next owner need not read it again.

    Once in a while only: it asks Kafka, and who takes over a second of records more is none the slower for it.
    """
    if now_ms < standing.ends_noted_ms + NOTE_MS:
        return
    topics = topics_of(standing.line)
    ends = await together([log.end(topic, standing.partition) for topic in topics])
    await standing.set_read_up_to(dict(zip(topics, ends, strict=True)))
    standing.ends_noted_ms = now_ms


async def _merge(standing: Standing, kind: Kind, chunk: Iterable[Read], *, stands: bool) -> None:
    """`stands` False: only numbers count as used."""
    latest: dict[str, dict[bytes, tuple[Head, bytes]]] = {}
    for read in chunk:
        found = _published(kind, read)
        if found is None:
            continue
        place, head, body = found
        had = latest.setdefault(place.of, {})
        # A tombstone has the number of the withdrawal before it, and comes after it.
        if place.entry not in had or had[place.entry][0].revision <= head.revision:
            had[place.entry] = head, body
    for of, entries in latest.items():
        heads = await standing.heads(of, sorted(entries))
        used: dict[bytes, Head] = {}
        confirmed: dict[bytes, tuple[Head, bytes]] = {}
        for entry, (seen, body) in entries.items():
            head = heads.get(entry, NO_HEAD)
            last = max(head.last, seen.revision)
            if not stands:
                if last > head.last:
                    used[entry] = head._replace(last=last)
            elif seen.revision > head.revision or (
                seen.revision == head.revision and seen.status == _GONE != head.status
            ):
                confirmed[entry] = seen._replace(last=last), body
        if used:
            await standing.reserve(of, used)
        if confirmed:
            # Redis lost what it knew of these, and with it what was noted to be passed on: nothing else would.
            notes = notes_of(of, confirmed)
            if notes:
                await standing.reserve(of, {}, notes)
            still = any(head.unconfirmed for head, _ in confirmed.values())
            await standing.confirm(of, confirmed)
            if still:  # confirm() cleared the mark, and one of the numbers is still without a content
                await standing.reserve(of, {})


def _published(kind: Kind, read: Read) -> tuple[Place, Head, bytes] | None:
    if not read.value:
        for name, content in read.headers:
            if name == GONE:
                of, entry, number = msgspec.json.decode(content, type=tuple[str, str, int])
                head = Head(number, number, STATUS_CODE["gone"], NOTHING)
                return Place(of, bytes.fromhex(entry)), head, b""
        return None
    record = kind.decode(read.value)
    status = "raised" if kind.stands_always else record.status
    band = BAND_CODE.get(getattr(record, "band", None) or "", NO_BAND)
    if getattr(record, "level", "F1") != "F1":
        band = NO_BAND
    number = record.revision
    return kind.place(record), Head(number, number, STATUS_CODE[status], digest(record), band), bytes(read.value)
