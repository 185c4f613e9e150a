"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Group


def as_json(value: Any) -> None:
    """One line of JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    numbers: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> None:
    """A table on standard output; columns named in `numbers` are set to the right. Piped, it is as wide as it needs.

    Columns of `spare` go, the first one first, while the terminal is too narrow for them: a table whose every cell is
    folded cannot be read. What went is said below it.
    """
    from rich.console import Console

    console = Console()
    left_out: list[str] = []
    if console.is_terminal:
        columns, rows, left_out = _narrowed(columns, rows, spare, console.width)
    if not console.is_terminal:
        # A pipe has no width; rich would assume 80 and cut the identifiers that somebody wants to grep for.
        console = Console(width=max(80, len(title) + 4, _width(columns, rows)))
    console.print(drawn(title, columns, rows, numbers))
    if left_out:
        console.print(f"Left out, for a wider terminal: {', '.join(left_out)}.", style="dim")


def drawn(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[str] = ()) -> Group:
    """The same, as something that rich draws."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    made = Table(header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        # Text, not str: a cell with square brackets in it would be taken for rich's own markup.
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    # Beside the table, not as its title: rich breaks a title at the width of a narrow table.
    return Group(Text(title, style="bold"), made)


def _narrowed(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], spare: Sequence[str], width: int
) -> tuple[Sequence[str], Sequence[Sequence[Any]], list[str]]:
    left_out: list[str] = []
    for name in spare:
        if _width(columns, rows) <= width:
            break
        at = list(columns).index(name)
        columns = [*columns[:at], *columns[at + 1 :]]
        rows = [[*row[:at], *row[at + 1 :]] for row in rows]
        left_out.append(name)
    return columns, rows, left_out


def _width(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Of the table with its borders."""
    widths = [len(column) for column in columns]
    for row in rows:
        widths = [max(width, len("" if cell is None else str(cell))) for width, cell in zip(widths, row, strict=True)]
    return sum(widths) + 3 * len(columns) + 1


def count(number: int, one: str, many: str | None = None) -> str:
    """`3 scans`, `1 scan`, `12,000 scans`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
