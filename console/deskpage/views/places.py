"""Where cases were while they were infectious, and venues where several cases were within days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from console.deskpage import parts
from console.deskpage.figures import few

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

_CASE = """<q-td :props="props"><button class="link mono" :aria-label="props.row.open_label"
  @click="$parent.$emit('open', props.row.case_id)">{{ props.row.case_id }}</button></q-td>"""
_WIDE = {"classes": "wide", "headerClasses": "wide"}


class Places:
    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._text = ""
        self._clusters: Any = None

    async def build(self) -> None:
        shell, w = self.shell, self.shell.w
        await shell.desk.names.refresh()
        parts.title(w("places"))
        with ui.element("div").classes("panel"):
            parts.title(w("clusters"), 2)
            self._box = ui.html("", sanitize=False).classes("w-full")
        with ui.row().classes("w-full items-center"):
            parts.title(w("alerts"), 2)
            ui.space()
            ui.input(placeholder=w("filter"), on_change=shell.act(self._search)).props(
                f'dense outlined clearable debounce=100 aria-label="{w("filter")}"'
            ).classes("desk-search").style("background:#fff; width: 240px")
        self._table = parts.PagedTable(
            shell,
            [
                {"name": "venue", "label": w("venue"), "classes": "wrap"},
                {"name": "start", "label": w("from"), "sortable": True},
                {"name": "end", "label": w("to"), **_WIDE},
                {"name": "case_id", "label": w("case")},
                {"name": "people", "label": w("people"), "align": "right", "sortable": True},
                {"name": "f1", "label": w("f1"), "align": "right", "sortable": True},
                {"name": "crowd", "label": "", **_WIDE},
            ],
            self._fetch,
            key="alert_id",
            sort="start",
            none=w("no_alerts"),
        )
        self._table.table.add_slot("body-cell-case_id", _CASE)
        self._table.table.on("open", shell.act(lambda event: shell.open_case(str(event.args))))
        self._show_clusters()
        await self._table.refresh()

    async def tick(self) -> None:
        self._show_clusters()
        await self._table.refresh()

    async def _search(self, event: events.ValueChangeEventArguments) -> None:
        self._text = (event.value or "").strip().lower()
        await self._table.first_page()

    def _show_clusters(self) -> None:
        clusters = self.shell.desk.board.clusters()
        if clusters == self._clusters:
            return
        self._clusters = clusters
        w, names = self.shell.w, self.shell.desk.names
        if not clusters:
            self._box.set_content(f'<p class="empty">{w("no_clusters")}</p>')
            return
        rows = [
            (
                names.of(c["venue_id"]),
                parts.at(c.get("from")),
                parts.at(c.get("to")),
                ", ".join(c.get("cases", ())[:6]) + (" …" if len(c.get("cases", ())) > 6 else ""),
                c.get("source_like"),
                c.get("spread_like"),
            )
            for c in clusters[:50]
        ]
        head = (w("venue"), w("from"), w("to"), w("cases"), w("source_like"), w("spread_like"))
        self._box.set_content(parts.plain(head, rows, (4, 5)))

    async def _fetch(self, first: int, many: int, sort: str | None, down: bool) -> tuple[parts.Rows, int]:
        w, names = self.shell.w, self.shell.desk.names
        found = self.shell.desk.board.alerts()
        if self._text:
            found = [
                a for a in found
                if self._text in a["case_id"].lower() or self._text in names.of(a["venue_id"]).lower()
                or self._text in a["venue_id"].lower()
            ]  # fmt: skip
        if sort in ("people", "f1"):
            found.sort(key=lambda a: a.get(sort) or 0, reverse=down)
        elif not down:
            found.reverse()
        rows = [
            {
                "alert_id": a["alert_id"],
                "venue": names.of(a["venue_id"]),
                "start": parts.at(a["start"]),
                "end": parts.at(a.get("end")),
                "case_id": a["case_id"],
                "open_label": w("open_case", id=a["case_id"]),
                "people": few(a.get("people")),
                "f1": a.get("f1"),
                "crowd": w("crowd") if a.get("crowd") else "",
            }
            for a in found[first : first + many]
        ]
        return rows, len(found)
