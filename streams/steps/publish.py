"""What changed is published: reserve the numbers, publish in one transaction, confirm (architecture.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from schemas.encoding import encode
from schemas.exposure import Exposure
from schemas.times import format_time
from streams.ports import Log, Out
from streams.rules.codes import pseudonym_digest
from streams.state.standing import NO_HEAD, STATUS_CODE, Head, Standing
from streams.steps.contents import decode, digest, withdrawal

TOPIC = "exposures"


@dataclass(frozen=True)
class Verdict:
    """What must stand for a case: `contents` by pseudonym. Of the persons in `asked` (None = all) who are not in
    `contents`, nothing may stand; `reason` says why it is withdrawn."""

    case_id: str
    asked: set[bytes] | None
    contents: dict[bytes, Exposure]
    policy: str
    reason: str


async def publish(standing: Standing, log: Log, verdict: Verdict, now_ms: int) -> int:
    """Publish the difference between what stands and the verdict; the number of records. Raises Fenced.

    A number that was reserved and never confirmed may have been seen by somebody with another content, or by nobody:
    its exposure is published with the next number even if its content equals what stands.
    """
    persons = None if verdict.asked is None else sorted(verdict.asked | verdict.contents.keys())
    heads = await standing.heads(verdict.case_id, persons)
    issued = format_time(now_ms // 1000)
    reserved: dict[bytes, Head] = {}
    published: dict[bytes, tuple[Head, bytes]] = {}
    records: list[Out] = []
    for person in sorted(heads.keys() | verdict.contents.keys()):
        head = heads.get(person, NO_HEAD)
        content = verdict.contents.get(person)
        if content is None:
            if not head.stands and not head.unconfirmed:
                continue
            content, status = withdrawal(verdict.case_id, person, verdict.policy, verdict.reason), "withdrawn"
        else:
            status = "updated" if head.stands else "raised"
        mark = digest(content)
        if head.stands and not head.unconfirmed and mark == head.digest:
            continue
        number = head.last + 1
        value = encode(msgspec.structs.replace(content, revision=number, status=status, issued_at=issued))
        reserved[person] = head._replace(last=number)
        published[person] = Head(number, number, STATUS_CODE[status], mark), value
        records.append(Out(TOPIC, content.exposure_id.encode(), value, standing.partition))
    if records:
        await standing.reserve(verdict.case_id, reserved)
        await log.publish(standing.partition, records)
        await standing.confirm(verdict.case_id, published)
    return len(records)


async def take_over(standing: Standing, log: Log) -> list[str]:
    """Own a case partition: fence former owners, then take in what they published last. The cases to look at again.

    First Kafka's fence, so that nothing of theirs can come later; then Redis's; then the topic is read to its end.
    Redis may know less than the topic holds (a worker died between publishing and confirming, or Redis lost its last
    second): a number that the topic has seen is never used again.
    """
    await log.fence(standing.partition)
    await standing.own()
    await take_in(standing, log, await standing.read_up_to(TOPIC))
    return await standing.unconfirmed()


async def take_in(standing: Standing, log: Log, start: int) -> None:
    """Bring what stands up to the end of this partition of `exposures`, from the offset up to which it holds it."""
    end = await log.end(TOPIC, standing.partition)
    if start == end:
        return
    # Aborted records take numbers too: a reader that does not wait for commits has seen them.
    async for chunk in log.tail(TOPIC, standing.partition, start, committed=False):
        await _merge(standing, [decode(r.value) for r in chunk if r.value], stands=False)
    async for chunk in log.tail(TOPIC, standing.partition, start, committed=True):
        await _merge(standing, [decode(r.value) for r in chunk if r.value], stands=True)
    await standing.set_read_up_to(TOPIC, end)


async def _merge(standing: Standing, seen: list[Exposure], *, stands: bool) -> None:
    by_case: dict[str, dict[bytes, Exposure]] = {}
    for record in seen:
        case = by_case.setdefault(record.case_id, {})
        person = pseudonym_digest(record.person)
        had = case.get(person)
        if had is None or had.revision < record.revision:
            case[person] = record
    for case_id, records in by_case.items():
        heads = await standing.heads(case_id, sorted(records))
        used: dict[bytes, Head] = {}
        confirmed: dict[bytes, tuple[Head, bytes]] = {}
        for person, record in records.items():
            head = heads.get(person, NO_HEAD)
            last = max(head.last, record.revision)
            if not stands:
                if last > head.last:
                    used[person] = head._replace(last=last)
            elif record.revision > head.revision:
                status = STATUS_CODE[record.status]
                confirmed[person] = Head(last, record.revision, status, digest(record)), encode(record)
        if used:
            await standing.reserve(case_id, used)
        if confirmed:
            still = any(head.unconfirmed for head, _ in confirmed.values())
            await standing.confirm(case_id, confirmed)
            if still:  # confirm() cleared the case's mark, and one of its numbers is still without a content
                await standing.reserve(case_id, {})
