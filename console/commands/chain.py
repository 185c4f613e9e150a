"""`truyvet chain`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from console.commands.f2 import chain_of
from console.tables import count
from console.trouble import WrongUse, kafka_at, load_settings, redis_at

FORMS = (".html", ".graphml", ".json")


@click.command(short_help="The graph of a case: who met whom, where and when.")
@click.argument("case_id", metavar="CASE")
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="FILE.html (a page that needs no network), FILE.graphml, or FILE.json (networkx's node-link form).",
)
def command(case_id: str, out: Path) -> None:
    """The case, its F1 and its F2, with an edge for each stay together. Persons are pseudonyms."""
    if out.suffix not in FORMS:
        raise WrongUse(f"--out {out.name}: expected a name that ends in {', '.join(FORMS)}")
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        chain = asyncio.run(chain_of(settings, case_id))
    from console.chaingraph import graph_of, written

    graph = graph_of(chain)
    try:
        out.write_text(written(chain, graph, out.suffix), encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"--out {out}: {error.strerror}") from None
    people, stays = graph.number_of_nodes(), graph.number_of_edges()
    click.echo(f"{out}: {count(people, 'person', 'persons')}, {count(stays, 'stay')} together.")
