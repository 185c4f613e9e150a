"""How the pipeline is: its state, what is not taken in yet, its processes, and what was rejected."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from nicegui import ui

from console.deskpage import parts
from console.deskpage.figures import grouped
from streams.ports import StoreChanged, StoreDown

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

_WORDS = {"ready": "everything_runs", "loading": "rebuilding", "empty": "run_rebuild"}


class System:
    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._shown: Any = None

    async def build(self) -> None:
        w = self.shell.w
        parts.title(w("health"))
        self._words = ui.label("")
        with ui.element("div").classes("two"):
            with ui.element("div").classes("panel"):
                parts.title(w("lag"), 2)
                self._lag = ui.html("", sanitize=False).classes("w-full")
            with ui.element("div").classes("stack"):
                with ui.element("div").classes("panel"):
                    parts.title(w("processes"), 2)
                    self._pids = ui.html("", sanitize=False).classes("w-full")
                with ui.element("div").classes("panel"):
                    parts.title(w("rejects"), 2)
                    self._rejects = ui.html("", sanitize=False).classes("w-full")
        await self.tick()

    async def tick(self) -> None:
        desk, w = self.shell.desk, self.shell.w
        state = desk.state
        try:
            figures = await desk.counters.of()
            rejects = figures.rejects
        except (StoreDown, StoreChanged):  # then the state says it
            rejects = {}
        now = (state, rejects)
        if now == self._shown:
            return
        self._shown = now
        name = state["state"]
        self._words.set_text(state.get("trouble") or w(_WORDS.get(name, name)))
        lag = [(topic, grouped(left)) for topic, left in (state.get("lag") or {}).items()]
        self._lag.set_content(parts.plain((w("topic"), w("records")), lag, (1,)))
        pids = [(part, ", ".join(map(str, number if isinstance(number, list) else [number])))
                for part, number in (state.get("pids") or {}).items()]  # fmt: skip
        number = escape(str(state.get("generation") or "–"))
        generation = f'<p class="soft">{escape(w("generation"))} <span class="mono">{number}</span></p>'
        self._pids.set_content(parts.plain((w("processes"), "pid"), pids) + generation)
        rows = [
            (reason, grouped(today), grouped(week))
            for reason, (today, week) in sorted(rejects.items(), key=lambda r: -r[1][1])
            if week
        ]
        none = f'<p class="empty">{escape(w("no_rejects"))}</p>'
        head = (w("reason"), w("today"), w("week"))
        self._rejects.set_content(parts.plain(head, rows, (1, 2)) if rows else none)
