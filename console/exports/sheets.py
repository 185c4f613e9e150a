"""Sheets of rows, written as CSV or xlsx, in which no cell can become a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import BinaryIO, NamedTuple

Cell = str | int | float | None
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet take a cell for a formula (OWASP, "CSV Injection")."""


class Sheet(NamedTuple):
    """`above`: rows before the columns' names, where a program wants some."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    above: Sequence[Sequence[str]] = ()


def safe(cell: Cell) -> Cell:
    """Text that a spreadsheet would run is led in by an apostrophe; numbers are numbers and stay.

    A gateway or a registry chooses ids and names: without this one of them could read the desk's other cells.
    """
    if isinstance(cell, str) and cell.startswith(_ACTIVE):
        return "'" + cell
    return cell


def write_csv(file: BinaryIO, sheet: Sheet, *, mark: bool = False) -> None:
    """UTF-8, CRLF (RFC 4180). `mark`: with the byte order mark by which Excel knows that it is UTF-8."""
    text = TextIOWrapper(file, "utf-8-sig" if mark else "utf-8", newline="")
    writer = csv.writer(text)
    writer.writerows(_safe_rows([*sheet.above, sheet.columns]))
    writer.writerows(_safe_rows(sheet.rows))
    text.flush()
    text.detach()  # else it would close the caller's file


def write_xlsx(file: BinaryIO, sheets: Iterable[Sheet]) -> None:
    """Row by row to a temporary file: memory stays small. No text becomes a formula, a link or a number."""
    from xlsxwriter import Workbook

    text_only = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(file, {"constant_memory": True, **text_only}) as book:
        bold = book.add_format({"bold": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(len(sheet.above) + 1, 0)
            head = [*sheet.above, sheet.columns]
            for number, row in enumerate(_safe_rows([*head, *sheet.rows])):
                page.write_row(number, 0, row, bold if number < len(head) else None)


def _safe_rows(rows: Iterable[Sequence[Cell]]) -> Iterable[list[Cell]]:
    return ([safe(cell) for cell in row] for row in rows)
