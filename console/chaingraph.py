"""The graph of a case as networkx has it, and as a file: GraphML, node-link JSON, or a page."""

from __future__ import annotations

import io
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
import networkx as nx

if TYPE_CHECKING:
    from streams.steps.f2 import Chain

Graph = Any  # networkx.MultiDiGraph, which has no types


def graph_of(chain: Chain) -> Graph:
    """A node a person (`level`: F0, F1, F2), an edge a stay together, from whom it may have come."""
    graph = nx.MultiDiGraph(case_id=chain.case_id, policy=chain.policy, state=chain.state)
    graph.add_node(chain.person, level="F0")
    graph.add_nodes_from(chain.f1, level="F1")
    graph.add_nodes_from((f2.person for f2 in chain.f2), level="F2")
    for meeting in chain.meetings:
        for stay in meeting.stays:
            seconds = stay.direct_seconds + stay.indirect_seconds
            graph.add_edge(meeting.source, meeting.person, **msgspec.to_builtins(stay), minutes=round(seconds / 60, 2))
    return graph


def written(chain: Chain, graph: Graph, form: str) -> str:
    """The text of a file of this form (`.graphml`, `.json`, `.html`)."""
    if form == ".graphml":
        buffer = io.BytesIO()
        nx.write_graphml(graph, buffer, named_key_ids=True)
        return buffer.getvalue().decode()
    if form == ".json":
        return json.dumps(nx.node_link_data(graph, edges="edges"), ensure_ascii=False, indent=1)
    page = resources.files("console").joinpath("chain.html").read_text(encoding="utf-8")
    # "</" would end the script that the data is in; an id may hold anything.
    data = json.dumps(_for_page(chain), ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\!--")
    return page.replace('"DATA"', data)


def _for_page(chain: Chain) -> dict[str, Any]:
    """Persons in the order of their first meeting, each row's place beside those they met."""
    first: dict[str, str] = {}
    for meeting in chain.meetings:
        for stay in meeting.stays:
            first[meeting.person] = min(first.get(meeting.person, stay.start), stay.start)
    f1 = sorted(chain.f1, key=lambda person: (first[person], person))
    row = {person: i for i, person in enumerate(f1)}
    via = {f2.person: [row[carrier] for carrier in f2.via] for f2 in chain.f2}
    # F2 beside the middle of those through whom they come: fewer lines cross.
    f2 = sorted(via, key=lambda person: (sum(via[person]) / len(via[person]), first[person], person))
    return {
        "case_id": chain.case_id,
        "person": chain.person,
        "state": chain.state,
        "policy": chain.policy,
        "window": [chain.window_start, chain.window_end],
        "crowd_limit": chain.crowd_limit,
        "f1": f1,
        "f2": f2,
        "crowds": msgspec.to_builtins(chain.crowds),
        "meetings": msgspec.to_builtins(chain.meetings),
    }
