"""Files of scans: what a line becomes, whatever it is packed in."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.arriving import Arriving
from console.scanfiles import BadFile, ScanFile

SCAN = {"scan_id": "1", "venue_id": "Chợ", "person": "999000000001", "scanned_at": 1_767_600_000_000, "gateway_id": "g"}
LINE = json.dumps(SCAN, ensure_ascii=False).encode()


def lines(path: Path, form: str = "auto") -> list[bytes]:
    return list(ScanFile(str(path), form).lines())  # type: ignore[arg-type]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["scans.ndjson", "scans"])
def test_ndjson_lines_stay_as_they_are(tmp_path: Path, packed: bool, name: str) -> None:
    text = b"\xef\xbb\xbf" + LINE + b"\r\n\n  \n" + b'{"broken\n' + b"[1, 2]\n" + LINE
    path = tmp_path / (name + (".gz" if packed else ""))
    path.write_bytes(gzip.compress(text) if packed else text)
    assert lines(path) == [LINE, b'{"broken', b"[1, 2]", LINE]


@pytest.mark.parametrize("name", ["scans.csv", "scans.txt", "scans.CSV.gz"])
def test_csv_becomes_messages(tmp_path: Path, name: str) -> None:
    text = (
        "scan_id,venue_id,person,scanned_at,gateway_id,direction,void,note\n"
        "1,Chợ,999000000001,1767600000000,g,,,\n"
        '2,V2,"|A, B|01012000|1|999000000002|",2026-01-05T08:00:00+07:00,g,out,true,"two\nlines"\n'
        "\n"
        "3,V3,x,soon,g,in,maybe,\n"
    ).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    first, second, third = map(json.loads, lines(path))
    assert first == SCAN
    assert second == {
        "scan_id": "2",
        "venue_id": "V2",
        "person": "|A, B|01012000|1|999000000002|",
        "scanned_at": "2026-01-05T08:00:00+07:00",
        "gateway_id": "g",
        "direction": "out",
        "void": True,
        "note": "two\nlines",
    }
    assert third["scanned_at"] == "soon" and third["void"] == "maybe", "what is wrong stays wrong, to be rejected"


def test_csv_cell_that_is_no_utf8_is_still_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"scan_id,venue_id\n1,\xff\xfe\n2,ok\n")
    bad, good = lines(path)
    assert b"\xff\xfe" in bad
    with pytest.raises(UnicodeDecodeError):
        bad.decode()
    assert json.loads(good) == {"scan_id": "2", "venue_id": "ok"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "name the columns"),
        (b"", "name the columns"),
        (b"venue_id,venue_id\n", "same name"),
        (gzip.compress(b"venue_id\nV\n" * 1000)[:-20], "broken gzip"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=words) as caught:
        lines(path)
    assert "x.csv" in str(caught.value)


def test_position_reaches_the_size(tmp_path: Path) -> None:
    path = tmp_path / "scans.ndjson.gz"
    path.write_bytes(gzip.compress(os.urandom(100_000).hex().encode() + b"\n"))
    file = ScanFile(str(path))
    assert file.position() == 0 < file.size == path.stat().st_size
    assert len(list(file.lines())) == 1
    assert file.position() == file.size


def test_arriving_lines_do_not_wait_for_the_next_one() -> None:
    """The source stands still after two lines: they must come all the same."""
    go = threading.Event()

    def source() -> Iterator[bytes]:
        yield b"1"
        yield b"2"
        assert go.wait(10)
        yield b"3"

    async def read() -> list[bytes]:
        got: list[bytes] = []
        async for chunk in Arriving(source()).chunks():
            got += chunk
            if got == [b"1", b"2"]:
                go.set()
        return got

    assert asyncio.run(asyncio.wait_for(read(), 20)) == [b"1", b"2", b"3"]


def test_arriving_passes_on_all_lines_and_the_failure() -> None:
    def source() -> Iterator[bytes]:
        for number in range(50_000):
            yield b"%d" % number
        raise BadFile("torn")

    got: list[bytes] = []

    async def read() -> None:
        async for chunk in Arriving(source()).chunks():
            got.extend(chunk)

    with pytest.raises(BadFile, match="torn"):
        asyncio.run(asyncio.wait_for(read(), 20))
    assert got == [b"%d" % number for number in range(50_000)]


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(gzip.compress(LINE + b"\n" + LINE)))  # type: ignore[arg-type]

    monkeypatch.setattr("sys.stdin", Stdin)
    file = ScanFile("-")
    assert file.live and file.size == 0
    assert list(file.lines()) == [LINE, LINE]
    assert not Stdin.buffer.closed, "standard input belongs to the process"
