"""The contact graph of a case: F0, F1 and F2, to look at and to click; with a list that keys reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import events, ui

from console.deskpage import charts, parts

if TYPE_CHECKING:
    from console.deskpage.shell import Shell
    from streams.steps.f2 import Chain, Meeting


class GraphPart:
    """Worked out when it is first opened: F2 are not in the ledger (rule 6)."""

    def __init__(self, shell: Shell, case_id: str) -> None:
        self.shell, self.case_id = shell, case_id
        self._opened = False

    def build(self) -> None:
        self._box = ui.column().classes("w-full").style("padding-top: .6rem")

    async def open(self) -> None:
        """Raises Away."""
        if self._opened:
            return
        self._opened = True
        w, shell = self.shell.w, self.shell
        with self._box, ui.row().classes("items-center") as waiting:
            ui.spinner(size="1.6em")
            ui.label(w("working"))
        try:
            chain = await shell.desk.looks.chain(shell.session.user.name, self.case_id)
        except BaseException:
            self._opened = False
            raise
        finally:
            waiting.delete()
        with self._box:
            if chain is None or not chain.f1:
                parts.empty(w("no_contacts"))
            else:
                self._show(chain)

    def _show(self, chain: Chain) -> None:
        w = self.shell.w
        shown = charts.Shown(chain)
        self._levels = shown.all
        self._chain = chain
        with ui.element("div").classes("two"):
            with ui.element("div").classes("panel"):
                parts.soft(w("graph_shown", a=len(shown.f1), b=len(chain.f1), c=len(shown.f2), d=len(chain.f2)))
                ui.echart(
                    charts.graph(chain, shown, parts.short, {"minutes": w("minutes")}),
                    on_point_click=self.shell.act(self._clicked),
                ).style("height: min(560px, 66vh); width: 100%").props(f'role="img" aria-label="{w("graph")}"').classes(
                    "desk-graph"
                )
            with ui.element("div").classes("panel").style("max-height: 74vh; overflow: auto"):
                names = {person: f"{level} {parts.short(person)}" for person, level in shown.all.items()}
                self._choice = (
                    ui.select(names, with_input=True, label=w("person"), on_change=self.shell.act(self._chosen))
                    .props("dense outlined options-dense")
                    .classes("w-full desk-search")
                )
                self._side = ui.html(f'<p class="soft">{w("choose_person")}</p>', sanitize=False).classes("w-full")

    async def _clicked(self, event: events.EChartPointClickEventArguments) -> None:
        if event.data_type == "node" and event.name in self._levels:
            self._choice.set_value(event.name)

    async def _chosen(self, event: events.ValueChangeEventArguments) -> None:
        if event.value in self._levels:
            self._side.set_content(self._meetings(event.value))

    def _meetings(self, person: str) -> str:
        """Whom this person met; with an F2 also how their F1s met the case: the whole path."""
        meetings = self._chain.meetings
        near = [m for m in meetings if person in (m.source, m.person)]
        carriers = {m.source for m in near if m.person == person}
        path = [m for m in meetings if m.person in carriers and m not in near]
        head = f'<h2 class="desk">{self._name(person)}</h2><p class="mono" style="overflow-wrap:anywhere">{person}</p>'
        return head + "".join(self._meeting(m) for m in [*path, *near][:40])

    def _name(self, person: str) -> str:
        return f"{self._levels.get(person, 'F2')} {parts.short(person)}"

    def _meeting(self, meeting: Meeting) -> str:
        w, names = self.shell.w, self.shell.desk.names
        rows = [
            (
                names.of(s.venue_id),
                parts.at(s.start),
                parts.at(s.end)[-5:],
                (s.direct_seconds + s.indirect_seconds) // 60,
            )
            for s in meeting.stays
        ]
        title = f"{self._name(meeting.source)} → {self._name(meeting.person)} · {meeting.minutes} {w('minutes')}"
        return f'<h2 class="desk" style="margin-top:.8rem">{title}</h2>' + parts.plain(
            (w("venue"), w("from"), w("to"), w("minutes")), rows, (3,)
        )
