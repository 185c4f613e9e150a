"""Files of scans: NDJSON or CSV, plain or gzip, or standard input. A line comes out as the JSON of its record."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

Format = Literal["auto", "ndjson", "csv"]

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BUFFER = 1 << 20


class BadFile(Exception):
    """The file as a whole cannot be read as scans: broken gzip, no CSV header. The text names the file."""


class ScanFile:
    """One file of scans. `lines()` gives each scan's JSON (or whatever the line holds: a bad line is not mended)."""

    def __init__(self, name: str, form: Format = "auto") -> None:
        """`name` = a path, or `-` for standard input. Raises OSError when it cannot be opened."""
        self.live = name == "-"
        """whether lines may come slowly, and should not wait for one another"""
        self.name = "standard input" if self.live else name
        # Closed where it ends: in lines(), which may run long after this.
        self._raw: Any = sys.stdin.buffer if self.live else Path(name).open("rb", buffering=_BUFFER)  # noqa: SIM115
        self.size = 0 if self.live else os.fstat(self._raw.fileno()).st_size
        self._form = form

    def position(self) -> int:
        """Bytes of the file read so far (compressed ones of a gzip), for a progress bar; 0 for standard input."""
        if not self.size or self._raw.closed:
            return self.size
        return int(self._raw.tell())

    def lines(self) -> Iterator[bytes]:
        """The scans in file order; blank lines are left out. Raises BadFile."""
        packed = self._raw.peek(2)[:2] == _GZIP
        data: Any = io.BufferedReader(gzip.GzipFile(fileobj=self._raw), _BUFFER) if packed else self._raw
        try:
            first = _opening(data)
            data = _without_bom(data, first)
            yield from _csv_lines(data, self.name) if self._is_csv(first) else _json_lines(data)
        except (gzip.BadGzipFile, EOFError) as error:
            raise BadFile(f"{self.name}: broken gzip ({error})") from None
        finally:
            if self._raw is not sys.stdin.buffer:
                self._raw.close()

    def _is_csv(self, first: bytes) -> bool:
        if self._form != "auto":
            return self._form == "csv"
        name = self.name.lower().removesuffix(".gz")
        if name.endswith((".csv", ".ndjson", ".jsonl", ".json")):
            return name.endswith(".csv")
        # By content: a CSV header names venue_id outside of any JSON.
        text = first.removeprefix(_BOM).lstrip()
        return not text.startswith((b"{", b"[")) and b"venue_id" in text.split(b"\n", 1)[0]


def _opening(data: Any) -> bytes:
    """What the data begins with, without taking it away."""
    return bytes(data.peek(512)[:512])


def _without_bom(data: Any, first: bytes) -> Any:
    if first.startswith(_BOM):
        data.read(len(_BOM))
    return data


def _json_lines(data: Any) -> Iterator[bytes]:
    for line in data:
        text = line.strip(b" \t\r\n")
        if text:
            yield text


def _csv_lines(data: Any, name: str) -> Iterator[bytes]:
    """Rows under a header of field names. Empty cells are absent fields; unknown columns stay (and are ignored)."""
    # surrogateescape: a cell that is not UTF-8 goes on as the bytes that it was, to be rejected like any gateway's.
    rows = csv.reader(io.TextIOWrapper(data, encoding="utf-8", errors="surrogateescape", newline=""))
    header = [column.strip() for column in next(rows, [])]
    if "venue_id" not in header:
        raise BadFile(f"{name}: the first line must name the columns (venue_id, person, scanned_at, …)")
    if len(set(header)) != len(header):
        raise BadFile(f"{name}: two columns have the same name")
    makers = [_value_maker(column) for column in header]
    encode = msgspec.json.encode
    try:
        for row in rows:
            if not row:
                continue
            scan = {column: make(cell) for column, make, cell in zip(header, makers, row, strict=False) if cell != ""}
            try:
                yield encode(scan)
            except UnicodeEncodeError:
                yield json.dumps(scan, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except csv.Error as error:
        raise BadFile(f"{name}: row {rows.line_num} is no CSV ({error})") from None


def _value_maker(column: str) -> Any:
    """CSV knows only text; `void` and times in milliseconds have other types. What fits neither stays text."""
    match column:
        case "scanned_at":
            return lambda cell: int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 18 else cell
        case "void":
            return lambda cell: {"true": True, "false": False}.get(cell.lower(), cell)
        case _:
            return lambda cell: cell
