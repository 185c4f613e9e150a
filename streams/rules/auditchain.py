"""The chain of the audit log: a line's digest, and what is wrong with lines that were read back (rule 10).

Each line ends with the digest of its own bytes and holds that of its chain's line before. So a line that was changed is
named itself; one that was changed together with its digest breaks the line after it; one that is missing, twice, or
in another place breaks the count. What a chain alone cannot show is a tail that was cut off: that is what anchors are
for, lines that list the heads of the other chains. Whoever cuts off the newest anchor too leaves no trace in the topic,
so an anchor's digest belongs on paper as well (`known`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from schemas.audit import AuditLine, Head
from schemas.encoding import encode

ANCHOR: Final = "anchor"
_TAIL = re.compile(rb',"digest":"([0-9a-f]{64})"\}\Z')
_decoder = msgspec.json.Decoder(AuditLine)
# Nine digits in a row: an old identity card, a telephone number, a QID; `|` stands between the fields of a code.
_CODE_LIKE = re.compile(r"\d{9}|\|")


class Kept(NamedTuple):
    """A record of the topic as it was read back; `timestamp` in ms since the epoch."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Break(NamedTuple):
    """The first broken line of a chain. `seq` None: it cannot be read; offset and partition are those of the record."""

    chain: str
    seq: int | None
    partition: int
    offset: int
    timestamp: int
    why: str


@dataclass
class Report:
    """What `verify` found.

    `heads`: last line of each chain; `anchored`: the highest that an anchor saw of each; `anchors`: oldest first;
    `broken`: first broken line of each chain that has one; `cut`: chains whose beginning is older than the topic keeps.
    """

    lines: int = 0
    heads: dict[str, Head] = field(default_factory=dict)
    anchored: dict[str, Head] = field(default_factory=dict)
    anchors: list[AuditLine] = field(default_factory=list)
    broken: dict[str, Break] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)

    @property
    def breaks(self) -> list[Break]:
        """Of all chains, oldest first (chains of different partitions have no order but their records' times)."""
        return sorted(self.broken.values(), key=lambda b: (b.timestamp, b.partition, b.offset))


def holds_code(text: str) -> bool:
    """Whether a text that somebody typed may hold a personal code; such a text must not get into the log."""
    return _CODE_LIKE.search(text) is not None


def line_bytes(line: AuditLine) -> tuple[bytes, str]:
    """A line → the bytes to keep, and their digest (hex). A digest that the line has already is not looked at."""
    body = encode(msgspec.structs.replace(line, digest=""))
    digest = sha256(body).hexdigest()
    return body[:-1] + b',"digest":"' + digest.encode() + b'"}', digest


def read_line(value: bytes) -> AuditLine | None:
    """The line in a record, None when it is none. Fields of a later version are left out here, not in the digest."""
    try:
        return _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def true_to_itself(value: bytes) -> bool:
    """Whether the digest at a record's end is that of its bytes before: of bytes, so that no change is too small."""
    tail = _TAIL.search(value)
    return tail is not None and sha256(value[: tail.start()] + b"}").hexdigest().encode() == tail[1]


def verify(lines: Iterable[Kept], starts: Mapping[int, int] | None = None, known: str | None = None) -> Report:
    """Check every chain of the topic.

    `lines`: all records, those of a partition in the order of their offsets, partitions in any order. `starts`: first
    offset that each partition keeps (0 when it is not named: nothing was ever deleted by age). `known`: digest of a
    line that somebody noted elsewhere; it must be there.
    """
    report, first = Report(), starts or {}
    chains: dict[str, _Chain] = {}
    for kept in lines:
        report.lines += 1
        line = None if kept.value is None else read_line(kept.value)
        if kept.key is not None:
            name = kept.key.decode(errors="replace")
        else:
            name = "" if line is None else line.chain
        chain = chains.setdefault(name, _Chain(name, kept.partition))
        if name not in report.broken:
            why = chain.take(kept, line, first.get(kept.partition, 0))
            if why is not None:
                seq = None if line is None else line.seq
                report.broken[name] = Break(name, seq, kept.partition, kept.offset, kept.timestamp, why)
    for kept, line in sorted((a for c in chains.values() for a in c.anchors), key=lambda a: (a[1].at, a[0].offset)):
        report.anchors.append(line)
        for head in line.heads:
            had = report.anchored.get(head.chain)
            if had is None or had.seq < head.seq:
                report.anchored[head.chain] = head
            why = _unlike(head, chains.get(head.chain), line.at, first.get(head.partition, 0))
            if why is not None and head.chain not in report.broken:
                place = head.partition, head.offset, kept.timestamp
                report.broken[head.chain] = Break(head.chain, head.seq, *place, why)
    for name, chain in chains.items():
        if chain.head is not None:
            report.heads[name] = chain.head
            if chain.first > 1:
                report.cut.add(name)
    if known is not None and not any(known in chain.digests.values() for chain in chains.values()):
        report.broken[""] = Break("", None, -1, -1, 0, "no line has the digest that was noted elsewhere")
    return report


class _Chain:
    """One chain while it is read, up to its first broken line."""

    def __init__(self, name: str, partition: int) -> None:
        self.name, self.partition = name, partition
        self.first = 0
        self.digests: dict[int, str] = {}
        self.anchors: list[tuple[Kept, AuditLine]] = []
        self.head: Head | None = None

    def take(self, kept: Kept, line: AuditLine | None, start: int) -> str | None:
        """Take the next record in; what is wrong with it, None when nothing is."""
        if line is None or kept.value is None:
            return "it is no line of an audit log"
        why = self._wrong_by_itself(kept, kept.value, line) or self._wrong_here(line, start)
        if why is None:
            self.first = self.first or line.seq
            self.digests[line.seq] = line.digest
            self.head = Head(self.name, line.seq, line.digest, kept.partition, kept.offset)
            if line.action == ANCHOR:
                self.anchors.append((kept, line))
        return why

    def _wrong_by_itself(self, kept: Kept, value: bytes, line: AuditLine) -> str | None:
        if not true_to_itself(value):
            return "its digest is not that of its content: it was changed"
        if kept.key != line.chain.encode():
            return "its key is not its chain"
        if kept.partition != self.partition:
            return f"it lies in another partition than its chain ({self.partition})"
        return None

    def _wrong_here(self, line: AuditLine, start: int) -> str | None:
        last = self.head
        if last is None:
            # Age deletes from a partition's start. Where it deleted nothing, a chain begins with its line 1.
            if line.seq == 1:
                return None if line.previous == "" else "it is the first of its chain, and names one before it"
            return None if start > 0 and line.seq > 1 else "the lines before it are missing"
        if line.seq in self.digests:
            again = self.digests[line.seq] == line.digest
            return "it is there twice" if again else f"another line {line.seq} stands before it"
        if line.seq != last.seq + 1:
            return f"line {last.seq + 1} is missing before it, or lies in another place"
        if line.previous != last.digest:
            return f"it follows another line {line.seq - 1} than the one that is there"
        return None


def _unlike(head: Head, chain: _Chain | None, anchored_at: str, start: int) -> str | None:
    """What an anchor saw must be there still, unless age took it: it then lay before the first offset that is kept."""
    if chain is None or chain.head is None:
        return None if head.offset < start else f"the whole chain is missing; the anchor of {anchored_at} saw it"
    if head.seq > chain.head.seq:
        return f"the chain ends at line {chain.head.seq}; the anchor of {anchored_at} saw line {head.seq}"
    if head.seq >= chain.first and chain.digests[head.seq] != head.digest:
        return f"the anchor of {anchored_at} saw another line {head.seq}"
    return None
