"""`truyvet clusters`."""

from __future__ import annotations

import click

from console.listing import Listing
from console.times import shown

CLUSTERS = Listing(
    "clusters",
    ("cluster", "clusters"),
    ("venue", "from", "to", "cases", "source-like", "spread-like", "which"),
    lambda cluster: (
        cluster["venue_id"],
        shown(cluster.get("from")),
        shown(cluster.get("to")),
        len(cluster.get("cases", ())),
        cluster.get("source_like"),
        cluster.get("spread_like"),
        ", ".join(cluster.get("cases", ())),
    ),
    lambda cluster: (-len(cluster.get("cases", ())), cluster["venue_id"], cluster.get("from", "")),
    numbers=("cases", "source-like", "spread-like"),
    spare=("which",),
)


@click.command(short_help="Places where several cases were within days.")
@click.option("--venue", "venue_id", metavar="ID", help="Only at this venue.")
@click.option("--case", "case_id", metavar="ID", help="Only those with this case.")
@click.option("--json", "json_", is_flag=True, help="JSON, one cluster a line, as on the topic `clusters`.")
def command(venue_id: str | None, case_id: str | None, json_: bool) -> None:
    """Places where several cases were within days, most cases first.

    source-like: cases that were there before they were infectious, who may have caught it there; spread-like: cases
    that were there after, who may have brought it.
    """
    CLUSTERS.show(venue_id, json_, lambda cluster: case_id is None or case_id in cluster.get("cases", ()))
