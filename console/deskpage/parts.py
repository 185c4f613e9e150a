"""Parts that several views are made of: tables that ask the server for each page of rows, plain tables, tiles."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from console.times import LOCAL

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

Rows = list[dict[str, Any]]
Fetch = Callable[[int, int, str | None, bool], Awaitable[tuple[Rows, int]]]
"""(first row, how many (0 = all), column to sort by, descending) → rows, and how many there are in all."""
MOST = 100


def at(text: str | None) -> str:
    """An RFC 3339 time as 05/01 08:30, Vietnam's own; empty for none."""
    if not text:
        return ""
    return f"{datetime.datetime.fromisoformat(text).astimezone(LOCAL):%d/%m %H:%M}"


def date(text: str | None) -> str:
    """2026-01-05 → 05/01/2026."""
    return "/".join(reversed(text.split("-"))) if text else ""


def short(pseudonym: str) -> str:
    """Enough of a pseudonym to tell persons apart in one case; the whole of it is in the tooltip."""
    return pseudonym[:10] + "…" if len(pseudonym) > 11 else pseudonym


def title(text: str, level: int = 1) -> None:
    ui.html(f'<h{level} class="desk">{escape(text)}</h{level}>', sanitize=False)


def soft(text: str) -> ui.label:
    return ui.label(text).classes("soft")


def empty(text: str) -> None:
    ui.label(text).classes("empty").props('role="status"')


def tile(name: str, value: str, *, alarm: bool = False, more: str = "") -> str:
    under = f"<span>{escape(more)}</span>" if more else ""
    kind = "tile alarm" if alarm else "tile"
    return f'<div class="{kind}"><span>{escape(name)}</span><b>{escape(value)}</b>{under}</div>'


def plain(head: Sequence[str], rows: Sequence[Sequence[Any]], numbers: Sequence[int] = ()) -> str:
    """A small table as HTML; `numbers` = columns that hold figures. Every cell is text, whatever is in it."""

    def cells(row: Sequence[Any], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=n' if i in numbers else ''}>{escape(str('' if cell is None else cell))}</{tag}>"
            for i, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>"
    return f'<div class="scroll"><table class="plain">{top}<tbody>{body}</tbody></table></div>'


class PagedTable:
    """A table whose rows stay on the server: the browser has one page of them, however many there are."""

    def __init__(
        self,
        shell: Shell,
        columns: Sequence[dict[str, Any]],
        fetch: Fetch,
        *,
        key: str,
        sort: str | None = None,
        rows: int = 15,
        none: str,
    ) -> None:
        self._shell, self._fetch = shell, fetch
        self._page: dict[str, Any] = {
            "page": 1,
            "rowsPerPage": rows,
            "sortBy": sort,
            "descending": True,
            "rowsNumber": 0,
        }
        self.table = ui.table(
            columns=[{"align": "left", "field": c["name"], **c} for c in columns],
            rows=[],
            row_key=key,
            pagination=self._page,
        )
        self.table.classes("w-full").props(
            f'flat dense binary-state-sort :rows-per-page-options="[15,30,{MOST}]" '
            f'rows-per-page-label="{shell.w("rows")}" no-data-label="{none}" '
            ":pagination-label='(first, last, all) => `${first}–${last} / ${all}`'"
        )
        self.table.on("request", shell.act(self._asked))
        self.shown: Rows | None = None

    async def _asked(self, event: events.GenericEventArguments) -> None:
        asked = event.args["pagination"]
        for name in ("page", "rowsPerPage", "sortBy", "descending"):
            self._page[name] = asked.get(name, self._page[name])
        await self.refresh()

    async def first_page(self) -> None:
        """After a filter changed."""
        self._page["page"] = 1
        await self.refresh()

    async def refresh(self) -> None:
        """Ask again; the browser is told only when something is different."""
        page = self._page
        many = min(int(page["rowsPerPage"]) or MOST, MOST)
        while True:
            first = (int(page["page"]) - 1) * many
            rows, total = await self._fetch(first, many, page["sortBy"], bool(page["descending"]))
            if rows or page["page"] == 1:
                break
            page["page"] = 1  # there are fewer than there were
        if rows == self.shown and total == page["rowsNumber"] and self.table.pagination == page:
            return
        page["rowsNumber"] = total
        self.shown = rows
        self.table.pagination = dict(page)
        self.table.rows = rows
        self.table.update()
