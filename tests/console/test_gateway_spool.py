"""The gateway's spool: what it confirmed comes back, in order, whatever was torn; and nothing that was not put in."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.gateway import committing, cursor, segments, spool
from console.gateway.committing import SpoolFull
from console.gateway.frames import OVERHEAD, Record, encode, frame_at
from console.gateway.spool import Spool, SpoolTaken

LIMIT = 1 << 20
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few records, that go as soon as they may."""
    monkeypatch.setattr(committing, "SEGMENT_BYTES", 300)
    monkeypatch.setattr(spool, "LEAST_AGE", 0.0)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made) / "spool"


def record(number: int) -> Record:
    value = b'{"scan_id":"%d","x":"%s"}' % (number, b"x" * (number % 40))
    return Record(b"gate-%d" % (number % 3), value, 1, 1_764_000_000_000 + number)


def crash(one: Spool) -> None:
    """As kill -9 leaves it: descriptors are closed, nothing is tidied up."""
    one.committer.task.cancel()
    one.committer._thread.shutdown()
    if one.committer.active is not None:
        os.close(one.committer.active.descriptor)
    one._cursor.close()
    os.close(one._lock)


async def opened(folder: Path, limit: int = LIMIT) -> Spool:
    one = Spool(folder, limit)
    one.start()
    return one


async def rest(one: Spool) -> list[Record]:
    """All that waits, published."""
    found: list[Record] = []
    while not one.empty:
        taking = asyncio.ensure_future(one.take())
        await asyncio.wait([taking], timeout=0.05)
        if not taking.done():  # what waited was published already
            taking.cancel()
            break
        found += [frame.record for frame in taking.result()]
        await one.done()
    return found


def with_spool(folder: Path, work: Callable[[Spool], Awaitable[Result]], limit: int = LIMIT) -> Result:
    async def run() -> Result:
        one = await opened(folder, limit)
        try:
            return await work(one)
        finally:
            await one.close()

    return asyncio.run(run())


garbage = st.one_of(
    st.just(b""),
    st.binary(max_size=200),
    st.integers(1, 300).map(bytes),  # zeros, as some file systems leave them
    st.integers(1, 60).map(lambda n: encode(7, record(7))[:n]),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(1, 5), st.data())
def test_a_write_torn_at_any_byte(groups: list[int], unconfirmed: int, data: st.DataObject) -> None:
    """Confirmed groups, then a write that stops anywhere, with anything behind it."""

    async def fill(folder: Path) -> list[Record]:
        one = await opened(folder)
        confirmed: list[Record] = []
        for size in groups:
            new = [record(len(confirmed) + i) for i in range(size)]
            await one.add(new)
            confirmed += new
        following = one.committer.following
        crash(one)
        late = [record(1000 + i) for i in range(unconfirmed)]
        torn = b"".join(encode(following + i, r) for i, r in enumerate(late))
        torn = torn[: data.draw(st.integers(0, len(torn)))]
        written, at = 0, 0
        while (frame := frame_at(torn, at)) is not None:
            written, at = written + 1, frame.end
        with segments.found_in(folder)[-1].path.open("ab") as file:
            file.write(torn + data.draw(garbage))
        return [*confirmed, *late[:written]]

    async def again(folder: Path, had: list[Record]) -> None:
        one = await opened(folder)
        assert one.records == len(had)
        new = [record(2000 + i) for i in range(3)]
        await one.add(new)
        assert await rest(one) == [*had, *new]
        await one.close()
        assert not segments.found_in(folder), "what is published does not stay"

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        had = asyncio.run(fill(folder))
        asyncio.run(again(folder, had))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("publish"), st.just(0)),
        st.tuples(st.just("take"), st.just(0)),
        st.tuples(st.just("crash"), st.integers(0, 3)),
        st.tuples(st.just("full"), st.integers(0, 400)),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=100)
@given(steps, st.booleans())
@example([("add", 1), ("full", 400), ("add", 3), ("crash", 0), ("add", 1)], False)  # its numbers used again: one lost
@example([("add", 1), ("full", 50), ("add", 3), ("crash", 2), ("publish", 0)], False)
@example([("add", 12), ("publish", 0), ("take", 0), ("crash", 0), ("publish", 0)], True)
def test_any_life_of_a_spool(life: list[tuple[str, int]], cuts: bool) -> None:
    """Adding, publishing, crashes (the cursor torn or lost in some), writes that fail half way and can (`cuts`) or
    cannot be taken back: every confirmed record is published, the first time in its order."""

    async def live(folder: Path, patch: pytest.MonkeyPatch) -> None:
        one = await opened(folder)
        confirmed: list[Record] = []
        refused: set[Record] = set()
        published: list[Record] = []
        number = 0
        for what, figure in [*life, ("end", 0)]:
            if what == "add":
                new = [record(number + i) for i in range(figure)]
                number += figure
                await asyncio.gather(*(one.add([r]) for r in new))
                confirmed += new
            elif what in ("publish", "take") and not one.empty:
                taking = asyncio.ensure_future(one.take())
                if (await asyncio.wait([taking], timeout=0.05))[0]:
                    published += [frame.record for frame in taking.result()]
                    if what == "publish":
                        await one.done()
                else:
                    taking.cancel()
            elif what == "crash":
                crash(one)
                if figure == 1:
                    (folder / "cursor").unlink()
                if figure == 2:
                    (folder / "cursor").write_bytes((folder / "cursor").read_bytes()[:5] + b"?")
                one = await opened(folder)
            elif what == "full":
                new = [record(number), record(number + 1)]
                number += 2
                with patch.context() as wrong:
                    wrong.setattr(committing, "write_all", _full_after(figure))
                    if not cuts:
                        wrong.setattr(committing, "cut_back", lambda *_: None)
                    with pytest.raises(SpoolFull) as full:
                        await one.add(new)
                assert full.value.of_disk
                refused |= set(new)
        published += await rest(one)
        await one.close()
        first = list(dict.fromkeys(published))
        assert [r for r in first if r not in refused] == confirmed
        if cuts:
            assert first == confirmed

    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        asyncio.run(live(Path(made), patch))


def _full_after(length: int) -> Callable[[int, bytes], None]:
    def write(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:length])
        raise OSError(errno.ENOSPC, "No space left on device")

    return write


def test_a_damaged_place_takes_no_neighbour_with_it(folder: Path) -> None:
    had = [record(i) for i in range(30)]

    async def fill() -> None:
        one = await opened(folder)
        for r in had:
            await one.add([r])
        crash(one)

    asyncio.run(fill())
    for segment in segments.found_in(folder):
        data = bytearray(segment.path.read_bytes())
        data[OVERHEAD + 3] ^= 1  # in the first record's value
        segment.path.write_bytes(data)
    lost = {segment.first for segment in segments.found_in(folder)}

    async def read(one: Spool) -> tuple[list[Record], int]:
        return await rest(one), one.damaged_bytes

    found, damaged = with_spool(folder, read)
    assert found == [r for i, r in enumerate(had) if i not in lost]
    assert damaged == sum(had[i].size for i in lost) and len(lost) > 2


def test_what_comes_together_shares_an_fsync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "SEGMENT_BYTES", 1 << 20)
    writes: list[int] = []

    def counted(descriptor: int, data: bytes) -> None:
        writes.append(len(data))
        segments.write_all(descriptor, data)

    monkeypatch.setattr(committing, "write_all", counted)

    async def work(one: Spool) -> int:
        await asyncio.gather(*(one.add([record(i)]) for i in range(500)))
        return one.records

    assert with_spool(folder, work) == 500
    assert len(writes) <= 3, writes


def test_nothing_is_confirmed_before_the_disk_has_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 does not show this: what is written and not on the disk outlives a process, but not a power cut."""
    done: list[str] = []

    def sync(descriptor: int) -> None:
        time.sleep(0.2)
        done.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)

    async def work(one: Spool) -> None:
        with monkeypatch.context() as slow:
            slow.setattr(os, "fdatasync", sync)
            slow.setattr(os, "fsync", sync)
            await one.add([record(1)])
            assert done == [folder.name, "00000000000000000000.seg"], "the folder, or the file has no name"
            await one.add([record(2)])
            assert done[2:] == ["00000000000000000000.seg"]

    with_spool(folder, work)


def test_a_cursor_that_cannot_be_written_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk may have no room for it: it lags then, and the files that are published go."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def work(one: Spool) -> None:
        await one.add([record(1)])
        with monkeypatch.context() as wrong:
            wrong.setattr(os, "pwrite", full)
            assert await rest(one) == [record(1)]
        assert one.bytes == 0 and not list(folder.glob("*.seg"))

    with_spool(folder, work)


def test_the_limit_is_kept_and_room_comes_back(folder: Path) -> None:
    async def work(one: Spool) -> None:
        taken = 0
        with pytest.raises(SpoolFull) as full:
            while taken < 1000:
                await one.add([record(1)])
                taken += 1
        assert not full.value.of_disk
        assert sum(p.stat().st_size for p in folder.glob("*.seg")) == one.bytes <= 3000 < one.bytes + record(1).size
        assert len(await rest(one)) == taken
        assert one.bytes == 0
        await one.add([record(2)])

    with_spool(folder, work, limit=3000)


def test_only_the_owner_reads_it_and_only_one_process_writes(folder: Path) -> None:
    async def work(one: Spool) -> None:
        await one.add([record(1)])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
        assert {p.suffix for p in folder.iterdir()} == {"", ".seg"}
        with pytest.raises(SpoolTaken):
            Spool(folder, LIMIT)

    with_spool(folder, work)
    with_spool(folder, rest)


def test_a_published_segment_goes_though_it_is_not_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LEAST_AGE", 0.2)

    async def work(one: Spool) -> None:
        await one.add([record(1)])
        await one.take()
        await one.done()
        assert one.empty and list(folder.glob("*.seg")), "young: the next record may use it"
        waiting = asyncio.ensure_future(one.take())
        async with asyncio.timeout(5):
            while list(folder.glob("*.seg")):
                await asyncio.sleep(0.02)
        await one.add([record(2)])
        assert [frame.record for frame in await waiting] == [record(2)]

    with_spool(folder, work)


def test_a_cursor_never_leads(folder: Path) -> None:
    folder.mkdir()
    one = cursor.Cursor(folder / "c")
    assert one.number == 0
    one.move(41)
    one.close()
    one = cursor.Cursor(folder / "c")
    assert one.number == 41
    one.close()
    for at in range(12):
        data = bytearray((folder / "c").read_bytes())
        data[at] ^= 0x10
        (folder / "torn").write_bytes(data)
        one = cursor.Cursor(folder / "torn")
        assert one.number == 0
        one.close()
