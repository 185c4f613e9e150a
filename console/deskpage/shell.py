"""The frame of the page: header, places, keys, and the second hand that keeps the view up to date."""

from __future__ import annotations

import inspect
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any, Protocol

from nicegui import events, ui

from console.deskpage.desk import Desk
from console.deskpage.looks import Away
from console.deskpage.proposals import NotAllowed
from console.deskpage.sessions import AUDIT, CASES, Session
from console.deskpage.style import CSS, PRIMARY
from console.deskpage.words import word
from streams.ports import StoreChanged, StoreDown

logger = logging.getLogger("truyvet.desk")
TICK, CALM = 0.25, 1.0
"""seconds between two looks whether something came from Kafka (a comparison of numbers), and between two looks at all
else: a case must be seen within two seconds."""


class View(Protocol):
    """A place of the page. `build` fills the element that is open; `tick` brings it up to date."""

    async def build(self) -> None: ...

    async def tick(self) -> None: ...


class Place:
    """Where the menu leads: a key of words.py, an icon, who may go there."""

    def __init__(self, name: str, icon: str, roles: frozenset[str]) -> None:
        self.name, self.icon, self.roles = name, icon, roles


EVERYBODY = frozenset({"tracer", "supervisor", "auditor", "head", "viewer"})
PLACES = (
    Place("overview", "dashboard", EVERYBODY),
    Place("cases", "coronavirus", CASES),
    Place("held_cases", "front_hand", CASES),
    Place("places", "place", CASES),
    Place("audit", "fact_check", AUDIT),
    Place("health", "monitor_heart", frozenset({"tracer", "supervisor", "auditor"})),
)


class Shell:
    """One browser tab of one session."""

    def __init__(self, desk: Desk, session: Session) -> None:
        self.desk, self.session = desk, session
        self._places = [place for place in PLACES if session.user.role in place.roles]
        self._role = session.user.role
        self._view: View | None = None
        self._here = ""
        self._items: dict[str, ui.item] = {}
        self._known: set[str] | None = None
        self._busy = False
        self._seen: object = None
        self._looked = 0.0

    def w(self, key: str, **values: object) -> str:
        return word(self.session.language, key, **values)

    # -- frame

    async def build(self) -> None:
        ui.colors(primary=PRIMARY, secondary="#2f6f80", accent="#b86a00", negative="#a4161a", positive="#2e7d4f")
        ui.add_css(CSS)
        ui.add_body_html(f'<script>document.documentElement.lang = "{self.session.language}"</script>')
        self._header()
        with ui.left_drawer(value=None).props("width=210 breakpoint=900 bordered").style("background:#fff") as drawer:
            self._drawer = drawer
            with ui.list().classes("w-full").props(f'role="navigation" aria-label="{self.w("menu")}"'):
                for number, place in enumerate(self._places, 1):
                    self._item(number, place)
            ui.space()
            with ui.element("div").classes("soft").style("padding: 8px"):
                ui.label(self.w("only_pseudonyms"))
        self.content = ui.column().classes("w-full").props('id="content" role="main" tabindex="-1"')
        ui.keyboard(on_key=self._key, ignore=["input", "select", "textarea"])
        with ui.dialog() as self._help, ui.card():
            ui.html(f'<h2 class="desk">{escape(self.w("keys"))}</h2>', sanitize=False)
            for line in self.w("keys_help").split(" · "):
                ui.label(line)
            ui.button(self.w("close"), on_click=self._help.close).props("flat")
        await self.go(self._places[0].name)
        ui.timer(TICK, self._tick, immediate=False)

    def _header(self) -> None:
        with ui.header().classes("desk-header items-center no-wrap").style("padding: 6px 12px; gap: 8px"):
            ui.button(icon="menu", on_click=lambda: self._drawer.toggle()).props(
                f'flat round dense color=white aria-label="{self.w("menu")}"'
            )
            ui.label("Truyvet").style("font-weight: 650; font-size: 1.1rem")
            self._state = ui.html("", sanitize=False)
            ui.space()
            role = self.w(self.session.user.role)
            ui.label(f"{self.session.user.name} · {role}").classes("wide").style("font-size: .9rem")
            ui.button(icon="keyboard", on_click=lambda: self._help.open()).props(
                f'flat round dense color=white aria-label="{self.w("keys")}"'
            ).classes("wide")
            self._form("/language", self.w("switch"), "language", to="en" if self.session.language == "vi" else "vi")
            self._form("/sign-out", self.w("sign_out"), "logout")

    def _form(self, action: str, label: str, icon: str, **fields: str) -> None:
        """A plain form: what it does is done by the server, whatever state this tab is in."""
        with ui.element("form").props(f'method="post" action="{action}"').style("margin: 0"):
            for name, value in fields.items():
                ui.element("input").props(f'type="hidden" name="{name}" value="{value}"')
            with ui.button(icon=icon).props(f'flat dense color=white type="submit" no-caps aria-label="{label}"'):
                ui.label(label).classes("wide").style("margin-left: 6px")

    def _item(self, number: int, place: Place) -> None:
        with ui.item(on_click=self.act(lambda: self.go(place.name))).props(f'data-place="{place.name}"') as item:
            with ui.item_section().props("avatar").style("min-width: 36px; padding-right: 8px"):
                ui.icon(place.icon, size="20px")
            with ui.item_section():
                ui.label(self.w(place.name))
            with ui.item_section().props("side"):
                ui.label(str(number)).classes("key wide")
        self._items[place.name] = item

    # -- going and looking

    async def go(self, name: str, view: View | None = None) -> None:
        """To a place of the menu, or (`view`) to something below it."""
        if name not in {place.name for place in self._places}:
            return
        for other, item in self._items.items():
            item.classes(add="here" if other == name else "", remove="" if other == name else "here")
        self._here = name
        self.content.clear()
        made = view or self._make(name)
        self._view = None  # not before it is built: a tick in between would find half of it
        with self.content:
            await made.build()
        self._view = made
        self._look_around()

    def _make(self, name: str) -> View:
        from console.deskpage.views import audit, cases, health, held, overview, places

        made: dict[str, Callable[[Shell], View]] = {
            "overview": overview.Overview,
            "cases": cases.Cases,
            "held_cases": held.Held,
            "places": places.Places,
            "audit": audit.Audit,
            "health": health.System,
        }
        return made[name](self)

    async def open_case(self, case_id: str) -> None:
        from console.deskpage.views.case import CaseView

        await self.go("cases", CaseView(self, case_id))

    def act(self, function: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
        """A handler of what the user does: only in a session that holds, and with failures told in words."""

        async def handler(*arguments: Any) -> None:
            if not self.desk.sessions.alive(self.session) or self.session.user.role != self._role:
                self._leave()
                return
            self.desk.sessions.touch(self.session)
            await self._told(function, *arguments)

        # The toolkit looks at a handler's parameters to know whether it wants the event.
        wants = any(p.default is p.empty for p in inspect.signature(function).parameters.values())

        async def with_event(event: Any) -> None:
            await handler(event)

        async def without() -> None:
            await handler()

        return with_event if wants else without

    async def _told(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            result = function(*arguments)
            if inspect.isawaitable(result):
                await result
        except (Away, NotAllowed) as trouble:
            self.say(trouble.why, bad=True)
        except (StoreDown, StoreChanged):
            self.say("no_redis", bad=True)
        except Exception as error:
            # Its name only: a text may hold what must not be on a screen or in a log.
            logger.warning("a view failed: %s", _where(error))
            self.say("fault", bad=True, why=type(error).__name__)

    def say(self, key: str, *, bad: bool = False, **values: object) -> None:
        with self.content:
            ui.notify(
                self.w(key, **values),
                type="negative" if bad else "positive",
                position="top",
                timeout=6000,
                close_button=self.w("close"),
            )

    def _leave(self) -> None:
        with self.content:
            ui.navigate.to("/sign-in")

    async def _tick(self) -> None:
        if not self.desk.sessions.alive(self.session) or self.session.user.role != self._role:
            self._leave()
            return
        now, came = time.monotonic(), self.desk.versions()
        if self._busy or self._view is None or (came == self._seen and now - self._looked < CALM):
            return
        self._busy, self._seen, self._looked = True, came, now
        try:
            with self.content:
                await self._view.tick()
            self._look_around()
        except (StoreDown, StoreChanged, Away):
            pass  # the header says so; what was read before stays
        except Exception as error:
            logger.warning("a view failed: %s", _where(error))
        finally:
            self._busy = False

    def _look_around(self) -> None:
        name = self.desk.state["state"]
        text = self.w({"loading": "loading_state"}.get(name, name))
        self._state.set_content(f'<span class="chip {escape(name)}" role="status">{escape(text)}</span>')
        if self.session.user.role in CASES and self.desk.board.caught_up:
            self._new_cases()

    def _new_cases(self) -> None:
        """Say what came since this tab was opened."""
        now = {status["case_id"]: status for status in self.desk.board.cases()}
        if self._known is not None:
            for case_id in sorted(now.keys() - self._known)[:3]:
                with self.content:
                    ui.notify(
                        self.w("new_case", id=case_id, n=now[case_id].get("f1") or 0),
                        type="info",
                        position="bottom-right",
                        timeout=8000,
                    )
        self._known = set(now)

    # -- keys

    async def _key(self, event: events.KeyEventArguments) -> None:
        key = event.key.name
        if (
            not event.action.keydown
            or event.action.repeat
            or any((event.modifiers.ctrl, event.modifiers.alt, event.modifiers.meta))
        ):
            return
        if key == "?":
            self._help.open()
        elif key == "/":
            ui.run_javascript("document.querySelector('.desk-search input')?.focus()")
        elif key.isdecimal() and 0 < int(key) <= len(self._places):
            await self.act(lambda: self.go(self._places[int(key) - 1].name))()


def _where(error: BaseException) -> str:
    """Kind and place of a fault, without its text."""
    last = traceback.extract_tb(error.__traceback__)[-3:]
    return f"{type(error).__name__} at " + " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(last))
