"""Whatever is done to the lines of the audit log, `verify` names it, and says nothing of a log that is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import AuditLine
from streams.ports import Out
from streams.rules.auditchain import Kept, holds_code, line_bytes, read_line, verify
from streams.steps import audit
from streams.steps.audit import Auditor, CodeInAudit, Entry, NotAudited, anchor

PARTITIONS = 3


@dataclass
class Topic:
    """The topic `audit` in memory; `down` = the send fails, and the record may have come or not."""

    partitions: list[list[Kept]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    down: list[str] = field(default_factory=list)
    now: int = 1_700_000_000_000

    def now_ms(self) -> int:
        self.now += 1000
        return self.now

    async def send(self, records: Sequence[Out]) -> None:
        await asyncio.sleep(0)
        for out in records:
            trouble = self.down.pop(0) if self.down else ""
            if trouble != "lost":
                number = sum(out.key or b"") % PARTITIONS
                part = self.partitions[number]
                part.append(Kept(number, len(part), self.now, out.key, out.value))
            if trouble:
                raise ConnectionError(trouble)

    def kept(self) -> list[Kept]:
        return [kept for part in self.partitions for kept in part]


def written(lengths: Sequence[int], *, anchors: int = 1) -> tuple[list[Kept], str]:
    """A whole log: chains of these lengths, then anchors; and the last anchor's digest."""
    topic = Topic()

    async def write() -> str:
        digest = ""
        for n, length in enumerate(lengths):
            auditor = Auditor(topic, topic, f"chain-{n}")
            for i in range(length):
                await auditor.write("reidentify", "An", f"p1{n}{i}", "call back a contact", case_id="c-1")
        for n in range(anchors):
            _, lines = await anchor(Auditor(topic, topic, f"anchor-{n}"), topic.kept(), {}, "anchor")
            digest = lines[-1].digest
        return digest

    digest = asyncio.run(write())
    return topic.kept(), digest


def renumbered(lines: Sequence[Kept]) -> list[Kept]:
    """As a topic that was written anew holds them: offsets without holes."""
    offsets = dict.fromkeys(range(PARTITIONS), 0)
    out = []
    for kept in lines:
        out.append(kept._replace(offset=offsets[kept.partition]))
        offsets[kept.partition] += 1
    return out


LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(LENGTHS, st.integers(1, 3))
@settings(deadline=None)
def test_a_whole_log_is_whole(lengths: list[int], anchors: int) -> None:
    kept, digest = written(lengths, anchors=anchors)
    report = verify(kept, {}, digest)
    assert report.broken == {} and report.cut == set()
    assert report.lines == sum(lengths) + anchors and len(report.anchors) == anchors
    assert {n: report.heads[f"chain-{n}"].seq for n in range(len(lengths))} == dict(enumerate(lengths))


@given(LENGTHS, st.data())
@settings(deadline=None, max_examples=300)
def test_no_change_is_too_small(lengths: list[int], data: st.DataObject) -> None:
    """One byte of one line, at any place, and the first broken line is that one."""
    kept, _ = written(lengths)
    at = data.draw(st.integers(0, len(kept) - 1))
    value = bytearray(kept[at].value or b"")
    place = data.draw(st.integers(0, len(value) - 1))
    value[place] ^= data.draw(st.integers(1, 255))
    changed = [*kept[:at], kept[at]._replace(value=bytes(value)), *kept[at + 1 :]]
    named = [b for b in verify(changed).breaks if b.offset >= 0]
    assert (named[0].partition, named[0].offset) == (kept[at].partition, kept[at].offset)


@given(LENGTHS, st.data())
@settings(deadline=None, max_examples=200)
def test_a_line_forged_with_its_digest_is_found(lengths: list[int], data: st.DataObject) -> None:
    kept, digest = written(lengths)
    at = data.draw(st.integers(0, len(kept) - 1))
    line = read_line(kept[at].value or b"")
    assert line is not None
    forged, _ = line_bytes(msgspec.structs.replace(line, by="nobody"))
    changed = [*kept[:at], kept[at]._replace(value=forged), *kept[at + 1 :]]
    assert verify(changed, {}, digest).broken


@given(LENGTHS, st.booleans(), st.data())
@settings(deadline=None, max_examples=200)
def test_a_line_that_is_missing_is_found(lengths: list[int], holes: bool, data: st.DataObject) -> None:
    kept, digest = written(lengths, anchors=2)
    at = data.draw(st.integers(0, len(kept) - 1))
    left = [*kept[:at], *kept[at + 1 :]]
    report = verify(left if holes else renumbered(left), {}, digest)
    assert report.broken


@given(LENGTHS, st.data())
@settings(deadline=None, max_examples=200)
def test_a_line_that_is_there_twice_is_found(lengths: list[int], data: st.DataObject) -> None:
    kept, digest = written(lengths)
    at = data.draw(st.integers(0, len(kept) - 1))
    to = data.draw(st.integers(at, len(kept)))
    assert verify(renumbered([*kept[:to], kept[at], *kept[to:]]), {}, digest).broken


@given(st.integers(2, 6), st.data())
@settings(deadline=None, max_examples=200)
def test_lines_in_another_order_are_found(length: int, data: st.DataObject) -> None:
    kept, digest = written([length])
    mine = [k for k in kept if k.key == b"chain-0"]
    others = [k for k in kept if k.key != b"chain-0"]
    order = data.draw(st.permutations(range(length)).filter(lambda p: list(p) != list(range(length))))
    mixed = [mine[i]._replace(offset=mine[n].offset) for n, i in enumerate(order)]
    assert verify([*mixed, *others], {}, digest).broken


@given(LENGTHS, st.data())
@settings(deadline=None, max_examples=100)
def test_a_tail_cut_off_before_an_anchor_is_found_without_any_note(lengths: list[int], data: st.DataObject) -> None:
    kept, _ = written(lengths)
    chain = data.draw(st.integers(0, len(lengths) - 1))
    keep = data.draw(st.integers(0, lengths[chain] - 1))
    name = f"chain-{chain}".encode()
    left = [k for k in kept if k.key != name or (read_line(k.value or b"") or _never()).seq <= keep]
    (broken,) = verify(renumbered(left), {}).breaks
    assert broken.chain == name.decode() and broken.seq == lengths[chain]
    assert "anchor" in broken.why


def test_an_anchor_that_is_gone_is_found_by_the_next() -> None:
    kept, _ = written([2, 1], anchors=3)
    (broken,) = verify([k for k in kept if k.key != b"anchor-1"], {}).breaks
    assert broken.chain == "anchor-1" and "the whole chain is missing" in broken.why


def test_the_last_anchor_is_only_missed_by_who_noted_its_digest() -> None:
    kept, digest = written([2])
    left = [k for k in kept if k.key != b"anchor-0"]
    assert verify(left, {}).broken == {}
    assert verify(left, {}, digest).breaks[0].why == "no line has the digest that was noted elsewhere"


@given(LENGTHS, st.data())
@settings(deadline=None, max_examples=100)
def test_what_age_deletes_breaks_nothing(lengths: list[int], data: st.DataObject) -> None:
    """Retention takes records from the start of each partition, wherever that cuts the chains."""
    kept, _ = written(lengths, anchors=2)
    starts = {n: data.draw(st.integers(0, len(kept))) for n in range(PARTITIONS)}
    left = [k for k in kept if k.offset >= starts[k.partition]]
    assert verify(left, starts).broken == {}


def made(*lines: tuple[int, str]) -> list[Kept]:
    """One chain of lines (seq, previous: "" or `last`, the digest of the line before), each true to itself."""
    kept, last = [], ""
    for n, (seq, previous) in enumerate(lines):
        line = AuditLine(
            chain="x",
            seq=seq,
            at="2026-01-05T08:00:00Z",
            action="export",
            by="An",
            subject="",
            reason=f"report {n}",
            outcome="done",
            previous=last if previous == "last" else previous,
        )
        value, last = line_bytes(line)
        kept.append(Kept(0, n, n, b"x", value))
    return kept


@pytest.mark.parametrize(
    ("lines", "seq", "words"),
    [
        ([(1, ""), (3, "last")], 3, "line 2 is missing before it"),
        ([(1, ""), (2, "last"), (2, "last")], 2, "another line 2 stands before it"),
        ([(1, ""), (2, "last"), (1, "")], 1, "another line 1 stands before it"),
        ([(1, "0" * 64)], 1, "names one before it"),
        ([(2, "0" * 64)], 2, "the lines before it are missing"),
        ([(0, "")], 0, "the lines before it are missing"),
        ([(1, ""), (2, "0" * 64)], 2, "follows another line 1"),
    ],
)
def test_each_fault_is_named_by_its_own_words(lines: list[tuple[int, str]], seq: int, words: str) -> None:
    (broken,) = verify(made(*lines)).breaks
    assert broken.seq == seq and words in broken.why
    assert verify(made((1, ""), (2, "last"), (3, "last"))).broken == {}


def test_a_line_there_twice_is_called_so() -> None:
    kept = made((1, ""), (2, "last"))
    assert verify(renumbered([*kept, kept[1]])).breaks[0].why == "it is there twice"


def test_another_partition_or_key_is_no_place_for_a_line() -> None:
    kept, _ = written([3])
    at = next(i for i, k in enumerate(kept) if k.key == b"chain-0")
    moved = [*kept[:at], kept[at]._replace(partition=(kept[at].partition + 1) % PARTITIONS), *kept[at + 1 :]]
    assert "partition" in verify(moved).broken["chain-0"].why
    renamed = [*kept[:at], kept[at]._replace(key=b"chain-9"), *kept[at + 1 :]]
    report = verify(renamed)
    assert report.broken["chain-9"].why == "its key is not its chain" and "chain-0" in report.broken


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[1]", b"\xff", b"null", b"[" * 5000])
def test_what_is_no_line_is_named(value: bytes | None) -> None:
    assert verify([Kept(2, 7, 5, b"x", value)]).breaks[0][:5] == ("x", None, 2, 7, 5)


async def test_after_a_send_that_failed_a_new_chain_begins() -> None:
    """Whether the line came or not: neither leaves a log that looks forged."""
    for trouble in ("lost", "unanswered"):
        topic = Topic()
        auditor = Auditor(topic, topic)
        await auditor.write("reidentify", "An", "p1a", "call back")
        first = auditor.chain
        topic.down = [trouble]
        with pytest.raises(NotAudited):
            await auditor.write("reidentify", "An", "p1b", "call back")
        line = await auditor.write("reidentify", "An", "p1c", "call back")
        assert (line.seq, line.previous) == (1, "") and line.chain != first
        assert verify(topic.kept()).broken == {}
        assert len(topic.kept()) == (2 if trouble == "lost" else 3)


async def test_writers_at_the_same_time_make_one_chain() -> None:
    topic = Topic()
    auditor = Auditor(topic, topic)
    await asyncio.gather(*(auditor.write("decision", "An", f"c-{n}", "known to the desk") for n in range(20)))
    report = verify(topic.kept())
    assert report.broken == {} and report.heads[auditor.chain].seq == 20


def test_no_anchor_goes_on_top_of_a_broken_log() -> None:
    kept, _ = written([3])
    topic = Topic()
    report, lines = asyncio.run(anchor(Auditor(topic, topic), kept[1:], {}, "anchor"))
    assert report.broken and lines == [] and topic.kept() == []


def test_an_anchor_says_only_what_is_new_in_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "HEADS_A_LINE", 2)
    kept, _ = written([1, 1, 1], anchors=1)
    heads = [[h.chain for h in line.heads] for line in verify(kept).anchors]
    assert heads == [["chain-0", "chain-1"], ["chain-2"]]
    kept, _ = written([1, 1, 1], anchors=2)
    assert [[h.chain for h in line.heads] for line in verify(kept).anchors][2:] == [["anchor-0"]]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("case 2026-01-05 08:30, ward 12", False),
        ("calls back contact of 20260105-ab12", False),
        ("number 001099012345", True),
        ("phone 0912345678", True),
        ("1|2|3", True),
    ],
)
async def test_texts_that_look_like_a_code_stay_out(text: str, holds: bool) -> None:
    assert holds_code(text) is holds
    topic = Topic()
    for field_name in ("by", "reason"):
        entry = Entry("reidentify", "An", "p1a", "call back")._replace(**{field_name: text})
        if holds:
            with pytest.raises(CodeInAudit) as refused:
                await Auditor(topic, topic).write_all([entry])
            assert refused.value.field == field_name and text not in str(refused.value)
    assert topic.kept() == []


def _never() -> AuditLine:
    raise AssertionError("a line of the test's own cannot be read")
