"""Counters of the province (or of a head's organisation), and how well its areas are covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from console.deskpage import charts, parts
from console.deskpage.figures import Figures, few, grouped
from console.deskpage.sessions import CASES, FIGURES
from console.deskpage.style import BANDS

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

_TRACING = {
    "contacts": "f1",
    "tile_high": "high",
    "tile_medium": "medium",
    "tile_low": "low",
    "held": "held",
    "raised_today": "raised_today",
    "withdrawn_today": "withdrawn_today",
}
"""Word → field of tv:pub:tracing."""


class Overview:
    """`day` None: the newest that has a scan."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._day: str | None = None
        self._shown: Any = None
        role = shell.session.user.role
        self._all, self._cases = role in FIGURES, role in CASES

    async def build(self) -> None:
        w = self.shell.w
        figures = await self._figures()
        with ui.row().classes("w-full items-center").style("gap: .75rem"):
            parts.title(w("overview"))
            ui.space()
            self._days = ui.select(
                {day: parts.date(day) for day in figures.days},
                value=figures.day,
                on_change=self.shell.act(self._choose),
            ).props(f'dense outlined options-dense label="{w("day")}" behavior="menu"')
            self._days.style("min-width: 150px; background: #fff")
        self._tiles = ui.html("", sanitize=False).classes("w-full")
        self._about = parts.soft("")
        if self._all:
            self._build_areas(figures)
            await self._areas.refresh()
        self._show(figures)

    def _build_areas(self, figures: Figures) -> None:
        w = self.shell.w
        known = ("population", "install_share") if any(int(a.get("population", 0)) for a in figures.areas) else ()
        with ui.element("div").classes("two"):
            with ui.element("div").classes("stack"):
                with ui.element("div").classes("panel"):
                    parts.title(w("coverage"), 2)
                    self._areas = parts.PagedTable(
                        self.shell,
                        [
                            {"name": "name", "label": w(figures.level), "sortable": True, "classes": "wrap"},
                            *(
                                {"name": name, "label": w(word), "align": "right", "sortable": True}
                                for name, word in _COLUMNS
                            ),
                            *({"name": n, "label": w(n), "align": "right", "sortable": True, **_WIDE} for n in known),
                        ],
                        self._fetch_areas,
                        key="code",
                        sort="scans",
                        rows=15,
                        none=w("no_figures"),
                    )
                with ui.element("div").classes("panel"):
                    parts.title(w("silent"), 2)
                    self._silent = ui.html("", sanitize=False).classes("w-full")
            with ui.element("div").classes("stack"):
                with ui.element("div").classes("panel"):
                    parts.title(w("top_areas"), 2)
                    self._chart = ui.echart({}).style("height: 280px; width: 100%")
                    self._chart.props(f'role="img" aria-label="{w("top_areas")}"')
                if self._cases:
                    with ui.element("div").classes("panel"):
                        parts.title(w("by_band"), 2)
                        self._bands = ui.echart({}).style("height: 190px; width: 100%")
                        self._bands.props(f'role="img" aria-label="{w("by_band")}"')

    async def tick(self) -> None:
        figures = await self._figures()
        if set(figures.days) != set(self._days.options):
            self._days.set_options({day: parts.date(day) for day in figures.days}, value=figures.day)
        self._show(figures)
        if self._all:
            await self._areas.refresh()

    async def _figures(self) -> Figures:
        organisation = self.shell.session.user.organisation
        await self.shell.desk.names.refresh()
        return await self.shell.desk.counters.of(self._day, organisation)

    async def _choose(self, event: events.ValueChangeEventArguments) -> None:
        # The newest day stays the newest: tomorrow's figures must not wait until somebody chooses them.
        self._day = event.value if event.value != self._days.options or self._day else None
        await self.tick()

    # -- what is shown

    def _show(self, figures: Figures) -> None:
        board = self.shell.desk.board.counts() if self._cases else {}
        now = (figures.tracing, figures.meta.get("lag_records"), figures.of_day, figures.areas, board, figures.day,
               figures.organisation, figures.silent)  # fmt: skip
        if now == self._shown:
            return
        self._shown = now
        tiles = self._of_organisation(figures) if not self._all else self._of_all(figures, board)
        self._tiles.set_content(f'<div class="tiles">{"".join(tiles)}</div>')
        behind = int(figures.meta.get("lag_records", 0))
        w = self.shell.w
        state = w("behind", n=grouped(behind)) if behind else w("up_to_date")
        self._about.set_text(f"{parts.date(figures.day)} · {state} · {w('settling')}")
        if self._all:
            self._charts(figures)

    def _of_all(self, figures: Figures, board: dict[str, int]) -> list[str]:
        w, tracing, day = self.shell.w, figures.tracing, figures.of_day
        tiles = []
        if self._cases:
            held = board["held"]
            tiles += [
                parts.tile(w("open_cases"), grouped(board["open"])),
                parts.tile(w("held_number"), grouped(held), alarm=held > 0),
            ]
            tiles += [parts.tile(w(name), grouped(tracing.get(field))) for name, field in _TRACING.items()]
        registered = w("of_registered", n=grouped(day.get("venues_registered")))
        return [
            *tiles,
            parts.tile(w("scans"), grouped(day.get("scans"))),
            parts.tile(w("persons"), few(day.get("persons"))),
            parts.tile(w("venues_active"), grouped(day.get("venues_active")), more=registered),
            parts.tile(w("unregistered"), grouped(day.get("unregistered"))),
            parts.tile(w("cases_reported"), few(day.get("cases_reported"))),
        ]

    def _of_organisation(self, figures: Figures) -> list[str]:
        w, own = self.shell.w, figures.organisation or {}
        return [
            parts.tile(w("organisation"), str(own.get("name", ""))),
            *(parts.tile(w(name), grouped(own.get(name))) for name in ("scans", "in", "out")),
            parts.tile(w("staff_persons"), few(own.get("staff_persons"))),
            parts.tile(w("headcount"), grouped(own.get("headcount"))),
            parts.tile(
                w("venues_active"), grouped(own.get("venues_active")), more=w("of_registered", n=own.get("venues", 0))
            ),
        ]

    def _charts(self, figures: Figures) -> None:
        w = self.shell.w
        self._chart.options.clear()
        self._chart.options.update(charts.areas(figures.areas, w("scans")))
        self._chart.update()
        if self._cases:
            self._bands.options.clear()
            self._bands.options.update(charts.bands(figures.tracing, {b: w(b) for b in BANDS}))
            self._bands.update()
        names = self.shell.desk.names
        rows = [(names.of(venue), self._when(second)) for venue, second in figures.silent if second][:8]
        never = w("never_scanned", n=grouped(figures.never)) if figures.never else ""
        self._silent.set_content(parts.plain((w("venue"), w("last_scan")), rows) + f'<p class="soft">{never}</p>')

    @staticmethod
    def _when(second: int) -> str:
        import datetime

        return parts.at(datetime.datetime.fromtimestamp(second, datetime.UTC).isoformat())

    async def _fetch_areas(self, first: int, many: int, sort: str | None, down: bool) -> tuple[parts.Rows, int]:
        figures = await self._figures()
        by = sort or "scans"
        rows = sorted(map(_area, figures.areas), key=lambda row: row["by"][by], reverse=down)
        return [{k: v for k, v in row.items() if k != "by"} for row in rows[first : first + many]], len(rows)


_COLUMNS = (("scans", "scans"), ("venues", "venues_active"), ("share", "active_share"))
_WIDE = {"classes": "wide", "headerClasses": "wide"}


def _area(area: dict[str, Any]) -> dict[str, Any]:
    """A row as it is shown, and (`by`) what it is sorted by."""
    scans, active, registered, population, installs = (
        int(area.get(name, 0)) for name in ("scans", "venues_active", "venues_registered", "population", "installs")
    )
    share = active / registered if registered else 0.0
    installed = installs / population if population else 0.0
    return {
        "code": area["code"],
        "name": area["name"],
        "scans": grouped(scans),
        "venues": f"{grouped(active)} / {grouped(registered)}",
        "share": f"{share:.0%}" if registered else "–",
        "population": grouped(population) if population else "–",
        "install_share": f"{installed:.0%}" if population else "–",
        "by": {
            "name": area["name"],
            "scans": scans,
            "venues": active,
            "share": share,
            "population": population,
            "install_share": installed,
        },
    }
