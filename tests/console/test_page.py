"""What the page says at /healthz of a system that is up, and of one that is not; and the socket that `up` holds."""

from __future__ import annotations

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from console import page
from console.page import Health, listening, url_of
from console.state import State
from streams.runtime.settings import Settings

SETTINGS = Settings(kafka="127.0.0.1:1", redis="redis://127.0.0.1:1/0")
PIDS = {"kafka": 1, "redis": 2, "workers": [3, 4]}


async def test_no_kafka_is_said() -> None:
    health = Health(SETTINGS, lambda: PIDS)
    said = await health.now()
    assert said == {"state": "down", "trouble": "no Kafka answers at 127.0.0.1:1 (TRUYVET_KAFKA)", "pids": PIDS}
    await health.close()


async def test_many_windows_are_one_question_to_kafka_and_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    told = State(state="ready", pids=PIDS, lag={"scans": 7}, generation="g")
    asked = 0

    async def look(_: object) -> State:
        nonlocal asked
        asked += 1
        return told

    monkeypatch.setattr(page.Health, "_look", look)
    health = Health(SETTINGS, lambda: PIDS)
    for _ in range(6):
        assert await health.now() == dict(told)
    assert asked <= 2


async def test_a_fault_of_ours_is_shown_by_its_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(_: object) -> State:
        raise ValueError("p1 or a code might stand here")

    monkeypatch.setattr(page.Health, "_look", look)
    assert (await Health(SETTINGS, lambda: PIDS).now())["trouble"] == "ValueError"


async def test_who_comes_before_the_page_waits_and_is_not_refused() -> None:
    with listening() as held:
        url = url_of(held)
        assert url.startswith("http://127.0.0.1:")
        async with ClientSession(timeout=ClientTimeout(total=0.5)) as http:
            with pytest.raises((TimeoutError, ClientError)) as waited:
                await http.get(url)
            assert isinstance(waited.value, TimeoutError)


def test_a_taken_port_is_an_error_of_the_system() -> None:
    with listening() as held, pytest.raises(OSError, match=r"[Aa]ddress already in use"):
        listening(held.getsockname()[1])
