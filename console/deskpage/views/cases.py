"""All cases with their states; the newest evaluated first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from console.deskpage import parts
from console.deskpage.board import STATES

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

WIDE = {"classes": "wide", "headerClasses": "wide"}
CASE_LINK = """<q-td :props="props"><button class="link strong mono" :aria-label="props.row.open_label"
  @click="$parent.$emit('open', props.row.case_id)">{{ props.row.case_id }}</button></q-td>"""
STATE = """<q-td :props="props"><span :class="'chip ' + props.row.state_key">{{ props.row.state }}</span></q-td>"""
BANDS = """<q-td :props="props"><span v-if="props.row.high" class="chip high">{{ props.row.high }}</span>
  <span v-if="props.row.medium" class="chip medium">{{ props.row.medium }}</span>
  <span v-if="props.row.low" class="chip low">{{ props.row.low }}</span></q-td>"""


class Cases:
    """`state` None = every state."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._state: str | None = None
        self._text = ""

    async def build(self) -> None:
        w = self.shell.w
        with ui.row().classes("w-full items-center").style("gap: .75rem"):
            parts.title(w("cases"))
            ui.space()
            ui.input(placeholder=w("search_case"), on_change=self.shell.act(self._search)).props(
                f'dense outlined clearable debounce=100 aria-label="{w("search_case")}"'
            ).classes("desk-search").style("background:#fff; width: 210px")
            names: dict[str | None, str] = {
                None: w("all"),
                **{s: w("held_state" if s == "held" else s) for s in STATES},
            }
            ui.select(names, value=None, on_change=self.shell.act(self._filter)).props(
                f'dense outlined options-dense label="{w("state")}" behavior="menu"'
            ).style("min-width: 150px; background: #fff")
        self._table = parts.PagedTable(
            self.shell,
            [
                {"name": "case_id", "label": w("case"), "sortable": True},
                {"name": "state", "label": w("state"), "sortable": True},
                {"name": "f1", "label": w("f1"), "align": "right", "sortable": True},
                {"name": "held", "label": w("held"), "align": "right", "sortable": True},
                {"name": "bands", "label": w("band")},
                {"name": "window", "label": w("infectious"), **WIDE},
                {"name": "scans_of_case", "label": w("scans"), "align": "right", "sortable": True, **WIDE},
                {"name": "venues", "label": w("venues"), "align": "right", "sortable": True, **WIDE},
                {"name": "evaluated_at", "label": w("evaluated"), "sortable": True, **WIDE},
                {"name": "warnings", "label": w("warnings"), **WIDE},
            ],
            self._fetch,
            key="case_id",
            sort="evaluated_at",
            none=w("no_case"),
        )
        table = self._table.table
        table.add_slot("body-cell-case_id", CASE_LINK)
        table.add_slot("body-cell-state", STATE)
        table.add_slot("body-cell-bands", BANDS)
        table.on("open", self.shell.act(self._open))
        await self._table.refresh()

    async def tick(self) -> None:
        await self._table.refresh()

    async def _open(self, event: events.GenericEventArguments) -> None:
        await self.shell.open_case(str(event.args))

    async def _search(self, event: events.ValueChangeEventArguments) -> None:
        self._text = (event.value or "").strip().lower()
        await self._table.first_page()

    async def _filter(self, event: events.ValueChangeEventArguments) -> None:
        self._state = event.value
        await self._table.first_page()

    async def _fetch(self, first: int, many: int, sort: str | None, down: bool) -> tuple[parts.Rows, int]:
        desk, w = self.shell.desk, self.shell.w
        found = desk.board.cases(
            lambda s: self._state in (None, s["state"]) and (not self._text or self._text in s["case_id"].lower())
        )
        found.sort(key=lambda s: s["case_id"])
        field = sort or "evaluated_at"
        empty: Any = 0 if field in ("f1", "held", "scans_of_case", "venues") else ""
        found.sort(key=lambda s: s.get(field) or empty, reverse=down)
        shown = found[first : first + many]
        bands = await desk.ledger.bands([status["case_id"] for status in shown])
        return [row(status, bands.get(status["case_id"]), w) for status in shown], len(found)


def row(status: dict[str, Any], bands: tuple[int, int, int] | None, w: Any) -> dict[str, Any]:
    """A case as a row of the table."""
    high, medium, low = bands or (0, 0, 0)
    window = f"{parts.at(status.get('window_start'))} – {parts.at(status.get('window_end'))}"
    state = status["state"]
    return {
        "case_id": status["case_id"],
        "open_label": w("open_case", id=status["case_id"]),
        "state": w("held_state" if state == "held" else state),
        "state_key": state,
        "f1": status.get("f1"),
        "held": status.get("held") or "",
        "high": high,
        "medium": medium,
        "low": low,
        "window": window if status.get("window_start") else "",
        "scans_of_case": status.get("scans_of_case"),
        "venues": status.get("venues"),
        "evaluated_at": parts.at(status.get("evaluated_at")),
        "warnings": ", ".join(w(x) if x == "empty_window" else x for x in status.get("warnings", ())),
    }
