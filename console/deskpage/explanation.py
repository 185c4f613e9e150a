"""Why an exposure is what it is, in a dialog: figures, episodes, pieces and scans of both sides, and what to decide."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from nicegui import ui

from console.deskpage import parts
from console.deskpage.words import because

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.deskpage.shell import Shell


async def show_explanation(shell: Shell, case_id: str, exposure_id: str) -> None:
    """Raises Away (also where the look could not be put on record: then nothing is shown)."""
    from streams.steps.explain import NoExposure

    w, user = shell.w, shell.session.user.name
    try:
        told = await shell.desk.looks.explanation(user, exposure_id, case_id)
    except NoExposure as gone:
        shell.say("gone", bad=True, why=str(gone))
        return
    with shell.content, ui.dialog() as dialog, ui.card().classes("explain").style("padding: 0; gap: 0"):
        with ui.row().classes("w-full items-center").style("padding: .8rem 1rem .4rem; gap: .6rem"):
            parts.title(w("explain"))
            ui.html(_chips(told, w), sanitize=False)
            ui.space()
            ui.button(icon="close", on_click=dialog.close).props(f'flat round dense aria-label="{w("close")}"')
        with ui.element("div").classes("explain-body"):
            ui.html(_body(told, w, shell.desk.names.of, shell.session.language), sanitize=False).classes("w-full")
        with (
            ui.row()
            .classes("w-full items-center")
            .style("padding: .7rem 1rem; gap: .6rem; border-top: 1px solid #d8e2e5")
        ):
            note = ui.input(placeholder=w("note")).props(f'dense outlined maxlength=200 aria-label="{w("note")}"')
            note.style("flex: 1 1 220px")

            async def decide(decision: str) -> None:
                await shell.desk.looks.decide(user, "exposure_id", exposure_id, decision, (note.value or "").strip())
                dialog.close()
                shell.say("decided")

            for decision, icon in (("confirm", "check_circle"), ("dismiss", "do_not_disturb_on")):
                ui.button(w(decision), icon=icon, on_click=shell.act(lambda d=decision: decide(d))).props(
                    "unelevated" if decision == "confirm" else "outline"
                )
    dialog.on("hide", dialog.delete)
    dialog.open()


def _chips(told: dict[str, Any], w: Callable[..., str]) -> str:
    exposure = told["exposure"]
    band, certainty = exposure.get("band") or "", exposure.get("certainty") or "co-presence"
    band_text = f"{exposure['score']:.2f} · {w(band)}" if band else ""
    return (
        f'<span class="chip {escape(band)}">{escape(band_text)}</span> '
        f'<span class="chip {escape(certainty)}">{escape(w(certainty))}</span> '
        f'<span class="soft">{escape(str(exposure["minutes"]))} {escape(w("minutes"))}</span>'
    )


def _body(told: dict[str, Any], w: Callable[..., str], name: Callable[[str], str], language: str) -> str:
    exposure, window, threshold = told["exposure"], told["window"], told["threshold"]
    advice = exposure.get("advice") or {}
    hours = told["policy"]["within_hours"]
    lines = [
        f"{w('window_because', a=parts.at(window['start']), b=parts.at(window['end']))} ({w('rule')} 4).",
        w("threshold", h=hours, a=parts.at(threshold["start"]), s=threshold["seconds"], n=threshold["needed"]),
    ]
    if advice:
        lines.append(w("advice", a=parts.date(advice["follow_up_until"]), b=parts.date(advice["test_on"])))
    text = [
        f'<p class="mono" style="overflow-wrap:anywhere;margin:.2rem 0">{escape(told["contact"]["person"])}</p>',
        *(f'<p style="margin:.25rem 0">{escape(line)}</p>' for line in lines),
        _section(w("episodes"), _episodes(exposure, w, name)),
    ]
    for who in ("contact", "case"):
        text.append(_section(w(f"pieces_{who}"), _pieces(told, who, w, name, language)))
        text.append(_folded(w(f"scans_{who}"), len(told["scans"][who]), _scans(told, who, w, name)))
    return "".join(text)


def _section(title: str, content: str) -> str:
    return f'<h2 class="desk" style="margin-top:1rem">{escape(title)}</h2>{content}'


def _folded(title: str, number: int, content: str) -> str:
    return f'<details style="margin:.5rem 0"><summary>{escape(title)}: {number}</summary>{content}</details>'


def _flags(thing: dict[str, Any], w: Callable[..., str]) -> str:
    words = [w(flag) for flag in ("inferred", "conflict") if thing.get(flag)]
    if thing.get("staff") or thing.get("role") == "staff":
        words.append(w("staff"))
    return ", ".join(words)


def _episodes(exposure: dict[str, Any], w: Callable[..., str], name: Callable[[str], str]) -> str:
    points = {part["episode"]: part for part in exposure.get("score_parts") or ()}
    rows = []
    for number, e in enumerate(exposure["episodes"]):
        part = points.get(number, {})
        rows.append(
            (
                name(e["venue_id"]),
                parts.at(e["start"]),
                parts.at(e["end"])[-5:],
                e["direct_seconds"] // 60,
                e["indirect_seconds"] // 60,
                part.get("infectiousness"),
                part.get("setting"),
                f"{part['points']:.2f}" if part else "",
                _flags(e, w),
            )
        )
    minutes = w("minutes")
    head = (w("venue"), w("from"), w("to"), f"{minutes} {w('direct')}", f"{minutes} {w('indirect')}", w("day_weight"),
            w("setting"), w("points"), "")  # fmt: skip
    return parts.plain(head, rows, (3, 4, 5, 6, 7))


def _pieces(told: dict[str, Any], who: str, w: Callable[..., str], name: Callable[[str], str], language: str) -> str:
    """Those at the venues that both share: of a case of ten days the rest tells nothing about this exposure."""
    shared = {episode["venue_id"] for episode in told["exposure"]["episodes"]}
    rows = [
        (
            name(piece["venue_id"]),
            parts.at(piece["start"]),
            parts.at(piece["end"]),
            " ".join(map(str, piece["rule"])),
            because(language, piece["because"]),
            _flags(piece, w),
        )
        for piece in told["pieces"][who]
        if piece["venue_id"] in shared
    ]
    return parts.plain((w("venue"), w("from"), w("to"), w("rule"), w("because"), ""), rows[:200])


def _scans(told: dict[str, Any], who: str, w: Callable[..., str], name: Callable[[str], str]) -> str:
    rows = [
        (
            parts.at(scan["at"]),
            name(scan["venue_id"]),
            w(scan["direction"]),
            w("staff") if scan["role"] == "staff" else "",
            scan["left_out"] or "",
        )
        for scan in told["scans"][who]
    ]
    return parts.plain((w("at"), w("venue"), w("direction"), "", ""), rows[:400])
