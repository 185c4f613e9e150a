"""`truyvet cases`."""

from __future__ import annotations

from typing import Any

import click

from console.listing import Listing
from console.times import shown

STATES = ("open", "held", "refused", "withdrawn", "closed")


def _row(status: dict[str, Any]) -> tuple[Any, ...]:
    window = f"{shown(status.get('window_start'))} - {shown(status.get('window_end'))}"
    return (
        status["case_id"],
        status["state"],
        window if "window_start" in status else "",
        status.get("scans_of_case"),
        status.get("venues"),
        status.get("f1"),
        status.get("held"),
        status.get("policy"),
        shown(status.get("evaluated_at")),
        ", ".join(status.get("warnings", ())),
    )


CASES = Listing(
    "case-status",
    ("case", "cases"),
    ("case", "state", "infectious", "scans", "venues", "F1", "held", "policy", "evaluated", "warnings"),
    _row,
    lambda status: (STATES.index(status["state"]), status["case_id"]),
    numbers=("scans", "venues", "F1", "held"),
    spare=("policy", "evaluated", "venues", "infectious"),
)


@click.command(short_help="How far each case is.")
@click.option("--case", "case_id", metavar="ID", help="Only this case.")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--json", "json_", is_flag=True, help="JSON, one case a line, as on the topic `case-status`.")
def command(case_id: str | None, state: str | None, json_: bool) -> None:
    """Every case that was evaluated: when it was infectious, its scans and contacts, and what is wrong with it.

    held: too many contacts for the policy; they are kept back until `truyvet decide release`. A case that is not listed
    was not evaluated yet: `truyvet wait`.
    """
    CASES.show(case_id, json_, lambda status: state in (None, status["state"]))
