"""`truyvet explain`."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import click

from console.tables import as_json, count, table
from console.times import shown
from console.trouble import Trouble, WrongUse, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings


@click.command(short_help="Why an exposure is what it is, down to the scans.")
@click.argument("exposure_id", metavar="EXPOSURE_ID")
@click.option("--json", "json_", is_flag=True, help="All of it, for tools/verify_explanation.py to work out anew.")
def command(exposure_id: str, json_: bool) -> None:
    """Scans, the pieces that they make, the episodes, the score; each step with the rule that made it. Pseudonyms.

    It is worked out now, and is what stands unless something is being evaluated. Nobody needs to believe it:
    `truyvet explain EXPOSURE_ID --json | python3 tools/verify_explanation.py` says yes (0) or no (1), by a program
    that shares nothing with this one. Ends with 1 when there is no such exposure.
    """
    if not re.fullmatch("[0-9a-f]{32}", exposure_id):
        raise WrongUse("EXPOSURE_ID: expected 32 hexadecimal digits, as `truyvet exposures --json` shows them")
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        told = asyncio.run(_ask(settings, exposure_id))
    if json_:
        as_json(told)
    else:
        show(told)


async def _ask(settings: Settings, exposure_id: str) -> dict[str, Any]:
    from console.asking import asking
    from streams.steps.explain import NoExposure, explain

    async with asking(settings) as worker:
        try:
            return await explain(worker, exposure_id)
        except NoExposure as why:
            raise Trouble(f"exposure {exposure_id}: {why}") from None


def show(told: dict[str, Any]) -> None:
    """Local times; of the pieces those that an episode lies on."""
    exposure, window, threshold = told["exposure"], told["window"], told["threshold"]
    click.echo(f"{told['contact']['person']} is F1 of case {told['case']['case_id']} ({told['case']['person']})")
    click.echo(f"Policy {told['policy']['id']} (rule 9), {exposure['certainty']} (rule 7).")
    click.echo(f"Infectious {shown(window['start'])} to {shown(window['end'])}: {window['because']} (rule 4).")
    for who, name in (("case", "The case"), ("contact", "The contact")):
        _side(told, who, name)
    rows = [
        (
            i + 1,
            e["venue_id"],
            shown(e["start"]),
            shown(e["end"]),
            e["direct_seconds"],
            e["indirect_seconds"],
            _flags(e),
        )
        for i, e in enumerate(exposure["episodes"])
    ]
    click.echo()
    table(
        "Episodes: at one venue at once, or while the room was risky (rule 5)",
        ("", "venue", "from", "to", "direct s", "indirect s", ""),
        rows,
        ("", "direct s", "indirect s"),
    )
    click.echo(
        f"F1 since the episodes that start from {shown(threshold['start'])} to {shown(threshold['end'])} make "
        f"{threshold['seconds']} s, and {threshold['needed']} s are needed. In all {exposure['minutes']} min, "
        f"{exposure['direct_minutes']} direct and {exposure['indirect_minutes']} indirect; a second counts once."
    )
    click.echo()
    table(
        f"Score {exposure['score']:.2f}, {exposure['band']} (rule 7): (direct + ½ indirect min) × day × setting",
        ("", "direct s", "indirect s", "day's weight", "setting", "points"),
        [
            (p["episode"] + 1, p["direct_seconds"], p["indirect_seconds"], p["infectiousness"], p["setting"],
             f"{p['points']:.4f}")
            for p in exposure["score_parts"]
        ],
        ("", "direct s", "indirect s", "day's weight", "setting", "points"),
    )  # fmt: skip
    advice = exposure["advice"]
    click.echo(
        f"Follow up until {advice['follow_up_until']}, test on {advice['test_on']}: {advice['reason']} (rule 7)."
    )


def _side(told: dict[str, Any], who: str, name: str) -> None:
    episodes, linger = told["exposure"]["episodes"], {v: f["linger"] for v, f in told["venues"].items()}
    scans, left_out = told["scans"][who], told["left_out"][who]
    pieces = [p for p in told["pieces"][who] if any(_under(p, e, who, linger) for e in episodes)]
    days = {p["start"][:10] for p in pieces} | {p["end"][:10] for p in pieces}
    venues = {p["venue_id"] for p in pieces}
    near = [s for s in scans if s["venue_id"] in venues and s["at"][:10] in days]
    click.echo()
    table(
        f"{name}: {count(len(scans), 'scan')}; those at these places on these days (rules 1, 2)",
        ("at", "venue", "direction", "role", "left out"),
        [(shown(s["at"]), s["venue_id"], s["direction"], s["role"], s["left_out"]) for s in near],
    )
    for what, why in (("voided", "taken back (rule 1)"), ("shared_card", "of a shared card (rule 2)")):
        if left_out[what]:
            click.echo(f"{count(left_out[what], 'scan')} {why}: left out.")
    table(
        f"{name}: the pieces under an episode, of {len(told['pieces'][who])} (rule 3)",
        ("from", "to", "venue", "rule", "why it ends there, or begins"),
        [(shown(p["start"]), shown(p["end"]), p["venue_id"], " ".join(p["rule"]), p["because"]) for p in pieces],
    )


def _under(piece: dict[str, Any], episode: dict[str, Any], who: str, linger: dict[str, int]) -> bool:
    from datetime import datetime, timedelta

    if piece["venue_id"] != episode["venue_id"]:
        return False
    times = (piece["start"], piece["end"], episode["start"], episode["end"])
    start, end, first, last = map(datetime.fromisoformat, times)
    air = timedelta(seconds=linger[piece["venue_id"]] if who == "case" else 0)
    return start < last and end + air > first


def _flags(episode: dict[str, Any]) -> str:
    words = [word for word in ("inferred", "conflict") if episode[word]]
    words += [f"{who} staff" for who, role in (("contact", "role"), ("case", "case_role")) if episode[role] == "staff"]
    return ", ".join(words)
