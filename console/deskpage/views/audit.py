"""The newest lines of the audit log: who looked at what, who decided what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from nicegui import events, ui

from console.deskpage import parts
from console.deskpage.words import WORDS
from schemas.audit import Action

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

_WIDE = {"classes": "wide", "headerClasses": "wide"}


class Audit:
    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._text, self._action = "", None
        self._lines: tuple[int, list[Any]] = (-1, [])

    async def build(self) -> None:
        shell, w = self.shell, self.shell.w
        with ui.row().classes("w-full items-center").style("gap: .75rem"):
            parts.title(w("audit"))
            ui.space()
            ui.input(placeholder=w("who"), on_change=shell.act(self._search)).props(
                f'dense outlined clearable debounce=100 aria-label="{w("who")}"'
            ).classes("desk-search").style("background:#fff; width: 200px")
            ui.select(
                {None: w("all"), **{action: self._word(action) for action in get_args(Action)}},
                value=None,
                on_change=shell.act(self._filter),
            ).props(f'dense outlined options-dense label="{w("what")}" behavior="menu"').style(
                "min-width: 150px; background: #fff"
            )
        self._table = parts.PagedTable(
            shell,
            [
                {"name": "at", "label": w("when")},
                {"name": "by", "label": w("who")},
                {"name": "action", "label": w("what")},
                {"name": "subject", "label": w("about"), "classes": "mono wrap"},
                {"name": "case_id", "label": w("case"), "classes": "mono wide", "headerClasses": "wide"},
                {"name": "reason", "label": w("reason"), "classes": "wrap wide", "headerClasses": "wide"},
                {"name": "outcome", "label": w("outcome"), **_WIDE},
            ],
            self._fetch,
            key="key",
            rows=30,
            none=w("no_lines"),
        )
        await self._table.refresh()

    async def tick(self) -> None:
        await self._table.refresh()

    def _word(self, action: str) -> str:
        key = "policy_change" if action == "policy" else action
        return self.shell.w(key) if key in WORDS else action

    async def _search(self, event: events.ValueChangeEventArguments) -> None:
        self._text = (event.value or "").strip().lower()
        await self._table.first_page()

    async def _filter(self, event: events.ValueChangeEventArguments) -> None:
        self._action = event.value
        await self._table.first_page()

    async def _fetch(self, first: int, many: int, _: str | None, __: bool) -> tuple[parts.Rows, int]:
        board = self.shell.desk.board
        if self._lines[0] != board.audit_version:
            # Partitions have no order among each other: by time, and each chain's lines by their number.
            self._lines = (board.audit_version, sorted(board.audit, key=lambda x: (x.at, x.chain, x.seq), reverse=True))
        found = [
            line
            for line in self._lines[1]
            if self._action in (None, line.action) and (not self._text or self._text in line.by.lower())
        ]
        rows = [
            {
                "key": f"{line.chain}/{line.seq}",
                "at": parts.at(line.at),
                "by": line.by,
                "action": self._word(line.action),
                "subject": line.subject or f"{len(line.heads)} …",
                "case_id": line.case_id or "",
                "reason": line.reason,
                "outcome": line.outcome,
            }
            for line in found[first : first + many]
        ]
        return rows, len(found)
