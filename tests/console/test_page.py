"""The page: what it says of a system that is up, and of one that is not."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from console import page
from console.page import serving
from console.state import State
from streams.runtime.settings import Settings

SETTINGS = Settings(kafka="127.0.0.1:1", redis="redis://127.0.0.1:1/0")
PIDS = {"kafka": 1, "redis": 2, "workers": [3, 4]}


async def ask(url: str) -> tuple[int, dict[str, Any]]:
    async with ClientSession() as http, http.get(url + "/healthz") as answer:
        return answer.status, await answer.json()


async def test_no_kafka_is_said_and_the_page_stays_up() -> None:
    async with serving(SETTINGS, lambda: PIDS) as url:
        status, said = await ask(url)
        assert status == 503
        assert said == {"state": "down", "trouble": "no Kafka answers at 127.0.0.1:1 (TRUYVET_KAFKA)", "pids": PIDS}
        async with ClientSession() as http, http.get(url + "/") as answer:
            assert answer.status == 200 and answer.content_type == "text/html"
            text = await answer.text()
        assert "http://" not in text and "https://" not in text, "nothing is fetched from elsewhere"


@pytest.mark.parametrize(("state", "status"), [("ready", 200), ("loading", 503), ("empty", 503)])
async def test_what_a_watchdog_is_told(monkeypatch: pytest.MonkeyPatch, state: str, status: int) -> None:
    told = State(state=state, pids=PIDS, lag={"scans": 7}, generation="g")
    asked = 0

    async def look(_: object) -> State:
        nonlocal asked
        asked += 1
        return told

    monkeypatch.setattr(page.Health, "_look", look)
    async with serving(SETTINGS, lambda: PIDS) as url:
        assert await ask(url) == (status, dict(told))
        for _ in range(5):
            await ask(url)
        assert asked <= 2, "many windows are one question to Kafka and Redis"


async def test_a_fault_of_ours_is_shown_by_its_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(_: object) -> State:
        raise ValueError("p1 or a code might stand here")

    monkeypatch.setattr(page.Health, "_look", look)
    async with serving(SETTINGS, lambda: PIDS) as url:
        assert (await ask(url))[1]["trouble"] == "ValueError"


async def test_a_taken_port_is_an_error_of_the_system() -> None:
    async with serving(SETTINGS, lambda: PIDS) as url:
        port = int(url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="address already in use"):
            async with serving(SETTINGS, lambda: PIDS, port):
                pass
