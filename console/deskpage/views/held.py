"""Held cases (rule 8): released by two persons, one of them a supervisor; refused by a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from console.deskpage import parts
from console.deskpage.figures import grouped
from console.deskpage.proposals import NotAllowed
from console.deskpage.sessions import may_refuse

if TYPE_CHECKING:
    from console.deskpage.shell import Shell

MOST = 25


class Held:
    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._shown: Any = None

    async def build(self) -> None:
        parts.title(self.shell.w("held_cases"))
        parts.soft(self.shell.w("held_help"))
        self._box = ui.column().classes("w-full").style("gap: .7rem")
        self._show()

    async def tick(self) -> None:
        self._show()

    def _show(self) -> None:
        desk, w = self.shell.desk, self.shell.w
        held = desk.board.cases(lambda s: s["state"] == "held")
        held.sort(key=lambda s: (-(s.get("held") or 0), s["case_id"]))
        if desk.board.caught_up:
            desk.proposals.keep_only({status["case_id"] for status in held})
        refused = sorted(desk.board.cases(lambda s: s["state"] == "refused"), key=lambda s: s["case_id"])
        now = (held, refused, desk.proposals.version)
        if now == self._shown:
            return
        self._shown = now
        self._box.clear()
        with self._box:
            if not held:
                parts.empty(w("no_held"))
            for status in held[:MOST]:
                self._card(status)
            if len(held) > MOST:
                parts.soft(w("latest_of", a=MOST, b=len(held)))
            if refused:
                parts.title(w("recent_decided"), 2)
                rows = [
                    (s["case_id"], s.get("f1"), s.get("held"), parts.at(s.get("evaluated_at"))) for s in refused[:MOST]
                ]
                head = (w("case"), w("f1"), w("held"), w("evaluated"))
                ui.html(parts.plain(head, rows, (1, 2)), sanitize=False).classes("panel")

    def _card(self, status: dict[str, Any]) -> None:
        shell, w, case_id = self.shell, self.shell.w, status["case_id"]
        proposal = shell.desk.proposals.of(case_id)
        with ui.element("div").classes("panel") as card:
            card.props["data-held"] = case_id  # not by props(): an id may hold quotes
            with ui.row().classes("w-full items-center").style("gap: .7rem"):
                link = ui.button(case_id, on_click=shell.act(lambda: shell.open_case(case_id))).classes("mono")
                link.props("flat dense no-caps").props["aria-label"] = w("open_case", id=case_id)
                ui.html(f'<span class="chip held">{w("held_state")}</span>', sanitize=False)
                ui.label(f"F1: {grouped(status.get('f1'))} · {w('held')}: {grouped(status.get('held'))}")
                ui.space()
                if proposal is None:
                    self._button("propose", "how_to_vote", case_id, self._propose)
                else:
                    self._button("release", "lock_open", case_id, self._release, strong=True)
                if may_refuse(shell.session.user.role):
                    self._button("refuse", "block", case_id, self._refuse)
            if proposal is not None:
                who = f"{proposal.by} ({w(proposal.role)})"
                text = w("proposed_by", who=who, at=parts.at(proposal.at))
                ui.label(f"{text}{': ' + proposal.note if proposal.note else ''}").classes("soft")

    def _button(self, word: str, icon: str, case_id: str, then: Any, *, strong: bool = False) -> None:
        w = self.shell.w
        button = ui.button(w(word), icon=icon, on_click=self.shell.act(lambda: self._ask(word, case_id, then)))
        button.props(f'{"unelevated" if strong else "outline"} dense data-do="{word}"').style("padding: 2px 10px")
        button.props["aria-label"] = f"{w(word)} {case_id}"
        if word == "refuse":
            button.props("color=negative")

    async def _ask(self, word: str, case_id: str, then: Any) -> None:
        """A second question: a click too much must not send a thousand notices."""
        shell, w = self.shell, self.shell.w
        status = self._held_now(case_id)
        if word == "release":  # at once, not after the note was typed
            shell.desk.proposals.second(case_id, shell.session.user)
        question = w("sure_refuse" if word == "refuse" else "sure_release", n=grouped(status.get("held")), id=case_id)
        with self._box, ui.dialog() as dialog, ui.card().style("min-width: min(420px, 92vw)"):
            parts.title(question, 2)
            note = ui.input(placeholder=w("note")).classes("w-full")
            note.props(f'dense outlined maxlength=200 autofocus aria-label="{w("note")}"')

            async def carry_out() -> None:
                dialog.close()
                await then(case_id, (note.value or "").strip())

            with ui.row().classes("w-full justify-end"):
                ui.button(w("cancel"), on_click=dialog.close).props("flat")
                ui.button(w(word), on_click=shell.act(carry_out)).props(
                    f'unelevated data-sure="{word}" {"color=negative" if word == "refuse" else ""}'
                )
        dialog.open()

    def _held_now(self, case_id: str) -> dict[str, Any]:
        status = self.shell.desk.board.case(case_id)
        if status is None or status["state"] != "held":
            self.shell.desk.proposals.forget(case_id)
            raise NotAllowed("not_held")
        return status

    # -- what is done

    async def _propose(self, case_id: str, note: str) -> None:
        from console.times import now_ms, rfc3339
        from streams.rules.auditchain import holds_code

        if holds_code(note):
            raise NotAllowed("code_in_note")
        self._held_now(case_id)
        self.shell.desk.proposals.propose(case_id, self.shell.session.user, rfc3339(now_ms() // 1000 * 1000), note)
        self.shell.say("proposed")
        self._show()

    async def _release(self, case_id: str, note: str) -> None:
        desk, user = self.shell.desk, self.shell.session.user
        self._held_now(case_id)
        first = desk.proposals.second(case_id, user)
        said = [f"proposed by {first.by}"] + [text for text in (first.note, note) if text]
        await desk.looks.decide(user.name, "case_id", case_id, "release", "; ".join(said))
        desk.proposals.forget(case_id)
        self.shell.say("released", id=case_id)

    async def _refuse(self, case_id: str, note: str) -> None:
        desk, user = self.shell.desk, self.shell.session.user
        if not may_refuse(user.role):
            raise NotAllowed("not_your_role")
        self._held_now(case_id)
        await desk.looks.decide(user.name, "case_id", case_id, "refuse", note)
        desk.proposals.forget(case_id)
        self.shell.say("refused_done", id=case_id)
