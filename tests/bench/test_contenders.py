"""When a contender is taken to be done."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from console.bench import contenders
from console.bench.contenders import Peer
from streams.runtime.settings import Settings

SETTINGS = Settings(kafka="127.0.0.1:1", redis="redis://127.0.0.1:1/0")
SLOW = """
import time
for words in ("hello", 10, 20):
    print(words, flush=True)
    time.sleep(0.4)
time.sleep(60)
"""


def test_a_greeting_is_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust greets on standard output: where lines were counted, the end of its warm-up was taken for the end."""
    monkeypatch.setattr(contenders, "of_ours", lambda *_: [sys.executable, "-c", SLOW])
    peer = Peer("stock_faust", SETTINGS, (10, 20), tmp_path / "log", None)

    async def waited(mark: int) -> float:
        began = time.monotonic()
        await peer.reach(mark)
        return time.monotonic() - began

    async def run() -> list[float]:
        return [await waited(0), await waited(1)]

    try:
        first, second = asyncio.run(run())
    finally:
        peer.stop()
    assert first > 0.4
    assert second > 0.3  # from when the first was seen, a look later than it was said
