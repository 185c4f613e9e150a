"""What changed is published: reserve the numbers, publish in one transaction, confirm (architecture.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from streams.ports import Log, Out
from streams.state.standing import BAND_CODE, KEEP, NO_BAND, NO_HEAD, NOTHING, STATUS_CODE, Head, Standing
from streams.steps.kinds import KINDS, Content, digest_of, plain


@dataclass
class Change:
    """What must stand from now on of one entry of the ledger.

    `content` None: nothing may stand. Then `withdrawal` is the record that says so if something stood, and `gone` asks
    for a tombstone behind it (erased, or its age has come). `held`: it exists, and is not published (rule 8's gate).
    """

    content: Content | None
    withdrawal: Content | None = None
    gone: bool = False
    held: bool = False


@dataclass
class Publication:
    """What `publish` is about to do with one ledger of one case (or of what combine works on)."""

    of: str
    reserved: dict[bytes, Head] = field(default_factory=dict)
    confirmed: dict[bytes, tuple[Head, bytes]] = field(default_factory=dict)
    records: list[Out] = field(default_factory=list)


def prepare(
    of: str, heads: Mapping[bytes, Head], changes: Mapping[bytes, Change], partition: int, issued: str
) -> Publication:
    """The difference between what stands and what must stand.

    A number that was reserved and never confirmed may have been seen by somebody with another content, or by nobody:
    its entry is published with the next number even if its content equals what stands.
    """
    found = Publication(of)
    for entry in sorted(changes):
        _one(found, entry, heads.get(entry, NO_HEAD), changes[entry], partition, issued)
    return found


def _one(found: Publication, entry: bytes, head: Head, change: Change, partition: int, issued: str) -> None:
    content, kind = change.content, KINDS[entry[:1]]
    if content is None:
        if head.stands or head.unconfirmed:
            if change.withdrawal is not None:
                head = _write(found, entry, head, change.withdrawal, "withdrawn", partition, issued)
            elif not change.gone:
                return
        elif head.held:
            head = head._replace(status=STATUS_CODE["withdrawn"] if head.revision else b"-", band=NO_BAND)
            found.confirmed[entry] = head, KEEP
        if change.gone and head.revision and head.status != STATUS_CODE["gone"]:
            _end(found, entry, head, kind.key_of(entry, found.of), kind.topic, partition)
        return
    if change.held:
        body = KEEP
        if head.unconfirmed and change.withdrawal is not None:  # its raising may have been seen: say that it is not so
            head = _write(found, entry, head, change.withdrawal, "withdrawn", partition, issued)
            body = found.confirmed[entry][1]
        if not head.held:
            found.confirmed[entry] = head._replace(status=STATUS_CODE["held"], digest=NOTHING, band=NO_BAND), body
        return
    text = plain(content)
    if head.stands and not head.unconfirmed and digest_of(text) == head.digest:
        return
    _write(found, entry, head, content, "updated" if head.stands else "raised", partition, issued, text)


def _write(
    found: Publication,
    entry: bytes,
    head: Head,
    content: Content,
    status: str,
    partition: int,
    issued: str,
    text: bytes | None = None,
) -> Head:
    kind = KINDS[entry[:1]]
    number = head.last + 1
    text = text or plain(content)
    value = kind.encode(content, number, status, issued, text)
    found.reserved[entry] = Head(number, head.revision, head.status, head.digest, head.band)
    code = STATUS_CODE["raised" if kind.stands_always else status]
    band = BAND_CODE.get(getattr(content, "band", None) or "", NO_BAND)
    if getattr(content, "level", "F1") != "F1":
        band = NO_BAND  # F2 are no F1, and are not counted as such
    after = Head(number, number, code, digest_of(text), band)
    found.confirmed[entry] = after, value
    found.records.append(Out(kind.topic, kind.key_of(entry, found.of), kind.wrap(found.of, value), partition))
    return after


def _end(found: Publication, entry: bytes, head: Head, key: bytes, topic: str, partition: int) -> None:
    """A tombstone. Its header keeps the number, so that a state rebuilt from the topic does not use it again."""
    found.confirmed[entry] = head._replace(status=STATUS_CODE["gone"], digest=NOTHING, band=NO_BAND), b""
    found.reserved.setdefault(entry, head)
    header = (GONE, msgspec.json.encode([found.of, entry.hex(), head.last]))
    found.records.append(Out(topic, key, None, partition, (header,)))


GONE = "tv-gone"


async def carry_out_all(standing: Standing, log: Log, all_: Sequence[tuple[Publication, Sequence[bytes]]]) -> int:
    """Reserve → publish → confirm, of several, each with what hangs on it, in one transaction; no two are of one case.
    The number of records. Raises Fenced."""
    await standing.reserve_all([(what.of, what.reserved, todo) for what, todo in all_ if what.reserved])
    records = [record for what, _ in all_ for record in what.records]
    if records:
        await log.publish(standing.partition, records, line=standing.line)
    await standing.confirm_all([(what.of, what.confirmed) for what, _ in all_ if what.confirmed])
    return len(records)


def decode(kind: bytes, value: bytes) -> Any:
    """One of our own records, read back from its topic or from Redis."""
    return KINDS[kind].decode(value)
