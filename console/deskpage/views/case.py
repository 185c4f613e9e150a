"""One case: its exposures, where it was, whom it met. Each is a look, and on record before it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from console.deskpage import charts, parts
from console.deskpage.explanation import show_explanation
from console.deskpage.ledger import BANDS, CERTAINTIES, Wanted, chosen
from console.deskpage.views.graph import GraphPart

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

_WIDE = {"classes": "wide", "headerClasses": "wide"}
_PERSON = """<q-td :props="props"><button class="link mono" :title="props.row.person" :aria-label="props.row.why_label"
  @click="$parent.$emit('why', props.row.exposure_id)">{{ props.row.short }}</button></q-td>"""
_BAND = """<q-td :props="props"><span :class="'chip ' + props.row.band_key">{{ props.row.band }}</span></q-td>"""
_CERTAINTY = (
    """<q-td :props="props"><span :class="'chip ' + props.row.certainty_key">{{ props.row.certainty }}</span></q-td>"""
)
_WHY = """<q-td :props="props"><q-btn dense flat no-caps no-wrap padding="0 6px" color="primary"
  :label="props.row.why" :aria-label="props.row.why_label"
  @click="$parent.$emit('why', props.row.exposure_id)" /></q-td>"""


class CaseView:
    def __init__(self, shell: Shell, case_id: str) -> None:
        self.shell, self.case_id = shell, case_id
        self._wanted = Wanted()
        self._status: Any = None
        self._alerts: Any = None

    async def build(self) -> None:
        shell, w = self.shell, self.shell.w
        # Before anything of a person is read: no audit, no answer.
        await shell.desk.looks.on_record(shell.session.user.name, self.case_id, "desk: exposures", self.case_id)
        await shell.desk.names.refresh()
        with ui.row().classes("w-full items-center").style("gap: .6rem"):
            ui.button(w("back"), icon="arrow_back", on_click=shell.act(lambda: shell.go("cases"))).props("flat dense")
            parts.title(f"{w('case')} {self.case_id}")
            self._chip = ui.html("", sanitize=False)
            ui.space()
            self._about = parts.soft("")
        self._warning = ui.label("").classes("warn")
        with ui.tabs(on_change=shell.act(self._turned)).props("align=left dense no-caps inline-label") as tabs:
            ui.tab("exposures", label=w("exposures"), icon="groups")
            ui.tab("timeline", label=w("timeline"), icon="timeline")
            ui.tab("graph", label=w("graph"), icon="hub")
        with ui.tab_panels(tabs, value="exposures", animated=False).classes("w-full").style("background: transparent"):
            with ui.tab_panel("exposures").style("padding: 0"):
                await self._build_exposures()
            with ui.tab_panel("timeline").style("padding: 0"), ui.element("div").classes("panel"):
                parts.title(w("visits"), 2)
                self._visits = ui.column().classes("w-full")
            with ui.tab_panel("graph").style("padding: 0"):
                self._graph = GraphPart(shell, self.case_id)
                self._graph.build()
        self._tabs = tabs
        self._show_status()
        self._show_visits()

    async def tick(self) -> None:
        self._show_status()
        self._show_visits()
        await self._table.refresh()

    async def _turned(self, event: events.ValueChangeEventArguments) -> None:
        if event.value == "graph":
            await self._graph.open()

    # -- head

    def _show_status(self) -> None:
        status, w = self.shell.desk.board.case(self.case_id) or {"state": "withdrawn"}, self.shell.w
        if status == self._status:
            return
        self._status, state = status, status["state"]
        self._chip.set_content(f'<span class="chip {state}">{w("held_state" if state == "held" else state)}</span>')
        window = ""
        if status.get("window_start"):
            window = w("window_because", a=parts.at(status["window_start"]), b=parts.at(status["window_end"]))
        self._about.set_text(f"{window} · {w('policy')} {status.get('policy', '')}".strip(" ·"))
        self._warning.set_text(w("held_back", n=status.get("held")) if status.get("held") else "")
        self._warning.set_visibility(bool(status.get("held")))

    # -- exposures

    async def _build_exposures(self) -> None:
        shell, w = self.shell, self.shell.w
        with ui.row().classes("w-full items-center").style("gap: .6rem; padding: .6rem 0"):
            ui.input(placeholder=w("filter"), on_change=shell.act(self._text)).props(
                f'dense outlined clearable debounce=100 aria-label="{w("filter")}"'
            ).classes("desk-search").style("background:#fff; width: 240px")
            for field, values in (("band", BANDS), ("certainty", CERTAINTIES)):
                ui.select(
                    {None: w("all"), **{v: w(v) for v in values}},
                    value=None,
                    on_change=shell.act(lambda event, field=field: self._filter(field, event.value)),
                ).props(f'dense outlined options-dense label="{w(field)}" behavior="menu"').style(
                    "min-width: 130px; background: #fff"
                )
        self._table = parts.PagedTable(
            shell,
            [
                {"name": "person", "label": w("person")},
                {"name": "score", "label": w("score"), "align": "right", "sortable": True},
                {"name": "band", "label": w("band")},
                {"name": "minutes", "label": w("minutes"), "align": "right", "sortable": True},
                {"name": "first_at", "label": w("first_at"), "sortable": True, **_WIDE},
                {"name": "last_at", "label": w("last_at"), "sortable": True, **_WIDE},
                {"name": "venues", "label": w("venues"), "classes": "wrap wide", "headerClasses": "wide"},
                {"name": "follow_up", "label": w("follow_up"), **_WIDE},
                {"name": "certainty", "label": w("certainty"), **_WIDE},
                {"name": "why", "label": ""},
            ],
            self._fetch,
            key="exposure_id",
            sort="score",
            none=w("no_exposure"),
        )
        table = self._table.table
        for column, slot in (("person", _PERSON), ("band", _BAND), ("certainty", _CERTAINTY), ("why", _WHY)):
            table.add_slot(f"body-cell-{column}", slot)
        table.on("why", shell.act(self._why))
        await self._table.refresh()

    async def _text(self, event: events.ValueChangeEventArguments) -> None:
        self._wanted.text = event.value or ""
        await self._table.first_page()

    async def _filter(self, field: str, value: str | None) -> None:
        setattr(self._wanted, field, value)
        await self._table.first_page()

    async def _fetch(self, first: int, many: int, sort: Any, down: bool) -> tuple[parts.Rows, int]:
        self._wanted.sort, self._wanted.descending = sort or "score", down
        found = chosen(await self.shell.desk.ledger.exposures(self.case_id), self._wanted)
        return [self._row(record) for record in found[first : first + many]], len(found)

    def _row(self, record: dict[str, Any]) -> dict[str, Any]:
        w, names = self.shell.w, self.shell.desk.names
        venues = list(dict.fromkeys(names.of(e["venue_id"]) for e in record.get("episodes") or ()))
        score, band, certainty = record.get("score"), record.get("band"), record.get("certainty") or "co-presence"
        return {
            "exposure_id": record["exposure_id"],
            "person": record["person"],
            "short": parts.short(record["person"]),
            "score": f"{score:.2f}" if score is not None else "–",
            "band": w(band) if band else "–",
            "band_key": band or "",
            "minutes": record.get("minutes"),
            "first_at": parts.at(record.get("first_at")),
            "last_at": parts.at(record.get("last_at")),
            "venues": ", ".join(venues[:2]) + (f" +{len(venues) - 2}" if len(venues) > 2 else ""),
            "follow_up": parts.date((record.get("advice") or {}).get("follow_up_until")),
            "certainty": w(certainty),
            "certainty_key": certainty,
            "why": w("why"),
            "why_label": f"{w('explain')} {record['person']}",
        }

    async def _why(self, event: events.GenericEventArguments) -> None:
        await show_explanation(self.shell, self.case_id, str(event.args))

    # -- where it was

    def _show_visits(self) -> None:
        alerts = self.shell.desk.board.alerts(self.case_id)
        if alerts == self._alerts:
            return
        self._alerts = alerts
        self._visits.clear()
        w, names = self.shell.w, self.shell.desk.names
        with self._visits:
            if not alerts:
                parts.empty(w("no_visits"))
                return
            venues = len({alert["venue_id"] for alert in alerts})
            options = charts.timeline(alerts, names.of, {"people": w("people")})
            ui.echart(options).style(f"height: {min(90 + 30 * venues, 520)}px; width: 100%").props(
                f'role="img" aria-label="{w("timeline")}"'
            )
            rows = [
                (
                    parts.at(a["start"]),
                    parts.at(a.get("end")),
                    names.of(a["venue_id"]),
                    a.get("people"),
                    a.get("f1"),
                    w("crowd") if a.get("crowd") else "",
                )
                for a in alerts[::-1][:200]
            ]
            head = (w("from"), w("to"), w("venue"), w("people"), w("f1"), "")
            ui.html(parts.plain(head, rows, (3, 4)), sanitize=False).classes("w-full")
