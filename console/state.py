"""What runs and how far it is: the answer of `truyvet status`, and of the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from console.lag import Topics, behind
from streams.runtime.topics import INPUTS, INTERNAL
from streams.state.generation import read_generation

if TYPE_CHECKING:
    from streams.ports import Store
    from streams.runtime.settings import Settings

EMPTY = "empty"
"""Redis knows no generation: workers have not begun, or Redis lost everything and waits for `truyvet rebuild`."""

UP = "TRUYVET_UP"
"""In the run file: where `up` keeps what it says of itself."""


class State(TypedDict):
    """`state`: `ready`, `loading` (a rebuild is on its way) or `empty`. `lag`: records of each topic not taken in."""

    state: str
    pids: dict[str, Any]
    lag: dict[str, int]
    generation: str | None


async def look(topics: Topics, store: Store, pids: dict[str, Any]) -> State:
    """As it is now. Raises what Kafka's and Redis's clients raise."""
    ends = await topics.ends(*INPUTS, *INTERNAL)
    lag = dict.fromkeys((*INPUTS, *INTERNAL), 0)
    for (topic, _), left in (await behind(store, ends)).items():
        lag[topic] += left
    generation = await read_generation(store)
    if generation is None:
        return State(state=EMPTY, pids=pids, lag=lag, generation=None)
    return State(state=generation.state, pids=pids, lag=lag, generation=generation.id)


def running_up(settings: Settings) -> dict[str, Any]:
    """What the `up` of this folder says of itself: the line it printed, with the pids of now; {} when none runs here.

    Or when the settings point to another Kafka: its processes are then not what they ask about.
    """
    from console.heldfile import read_held
    from streams.runtime.settings import read_run_file

    where = read_run_file().get(UP)
    said = (read_held(Path(where)) if where else None) or {}
    return said if said.get("kafka") == settings.kafka else {}
