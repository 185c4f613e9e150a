"""A state that another version of this program wrote is not believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.ports import Call, StoreChanged
from streams.state.generation import begin_generation, offset_done, read_generation, read_offsets
from streams.steps.worker import ready_generation, still_ours
from tests.simulation.checks import DirectStore, now
from tests.simulation.redis import RedisServer, private_server


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        running.begin()
        yield running


@pytest.mark.parametrize("form", ["1", None])
def test_another_form(server: RedisServer, form: str | None) -> None:
    store = DirectStore(server)
    ours = now(begin_generation(store, "ready"))
    server.call(Call("HSET", ("tv:gen",), ("scans/0", 7)))
    assert now(ready_generation(store)) == ours == now(begin_generation(store, "ready", only_first=True))

    server.call(Call("HDEL", ("tv:gen",), ("form",)) if form is None else Call("HSET", ("tv:gen",), ("form", form)))
    assert now(read_generation(store)) is None is now(ready_generation(store))
    with pytest.raises(StoreChanged):
        now(still_ours(store, ours.id))

    again = now(begin_generation(store, "ready", only_first=True))
    assert again.id != ours.id and now(ready_generation(store)) == again
    assert now(read_offsets(store)) == {}, "everything is read anew"


def test_offsets_are_those_of_the_own_generation(server: RedisServer) -> None:
    """A worker that begins a partition while a rebuild begins must not read the new generation's none for its own."""
    store = DirectStore(server)
    ours = now(begin_generation(store, "ready"))
    now(offset_done(store, ours.id, "cases", 0, 7))
    assert now(read_offsets(store, ours.id)) == {("cases", 0): 7}
    now(begin_generation(store, "loading"))
    for _ in range(2):
        with pytest.raises(StoreChanged):
            now(read_offsets(store, ours.id))
        server.begin()  # emptied
