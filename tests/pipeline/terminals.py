"""Terminals that send scans to a gateway over HTTP, one request after the other each; and what was confirmed."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from streams.ports import Read


@dataclass
class Terminal:
    """`posted`, `confirmed`: numbers of its scans → ms since the epoch of the first try, of the answer."""

    name: str
    posted: dict[int, float] = field(default_factory=dict)
    confirmed: dict[int, float] = field(default_factory=dict)
    following: int = 0

    def scan(self, number: int) -> dict[str, object]:
        return {
            "scan_id": str(number),
            "venue_id": f"cafe-{number % 7}",
            "person": f"{number:012}",
            "scanned_at": int(time.time() * 1000),
            "gateway_id": self.name,
        }


class Terminals:
    """`with Terminals(url, 6) as load:` sends until the block ends; then each has the answer to its last request.

    Who gets no answer sends the same again, or (one time in four) goes on with the next ones: then nobody knows.
    """

    def __init__(self, url: str, many: int, seed: int) -> None:
        self._url, self._rng = f"{url}/scans", random.Random(seed)
        self.terminals = [Terminal(f"gate-{number}") for number in range(many)]
        self.answers: dict[int, int] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> Terminals:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def confirmed(self) -> int:
        return sum(len(terminal.confirmed) for terminal in self.terminals)

    async def _run(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=60)) as client:
            await asyncio.gather(*(self._send(client, terminal) for terminal in self.terminals))

    async def _send(self, client: ClientSession, terminal: Terminal) -> None:
        numbers: list[int] = []
        while not self._ending.is_set():
            if not numbers:
                many = self._rng.choice((1, 1, 1, 5, 20))
                numbers = list(range(terminal.following, terminal.following + many))
                terminal.following += many
            now = time.time() * 1000
            for number in numbers:
                terminal.posted.setdefault(number, now)
            scans = [terminal.scan(number) for number in numbers]
            body = json.dumps(scans[0] if len(scans) == 1 else scans).encode()
            try:
                async with client.post(self._url, data=body) as answer:
                    self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
                    if answer.status == 202:
                        taken = (await answer.json())["taken"]
                        assert taken == len(numbers)
                        terminal.confirmed.update(dict.fromkeys(numbers, time.time() * 1000))
                        numbers = []
                        await asyncio.sleep(self._rng.random() * 0.1)  # or the machine has no time for anything else
            except (ClientError, OSError):
                if self._rng.random() < 0.25:
                    numbers = []
            if numbers:
                await asyncio.sleep(0.05)

    def check(self, records: Sequence[Read]) -> tuple[int, int]:
        """Every confirmed scan is there; nothing is that was not posted; the first time each gateway's are in order,
        with the time of the gateway's receipt. Returns how many scans, and how many came again."""
        found: dict[str, list[tuple[int, int]]] = {}
        for record in records:
            value = json.loads(record.value or b"")
            for scan in value if isinstance(value, list) else [value]:
                assert record.key == scan["gateway_id"].encode()
                found.setdefault(scan["gateway_id"], []).append((int(scan["scan_id"]), record.timestamp))
        assert set(found) == {terminal.name for terminal in self.terminals}
        again = 0
        for terminal in self.terminals:
            first: dict[int, int] = {}
            for number, timestamp in found[terminal.name]:
                again += number in first
                first.setdefault(number, timestamp)
            lost = terminal.confirmed.keys() - first.keys()
            assert not lost, f"{terminal.name}: {len(lost)} confirmed scans are lost, {sorted(lost)[:10]}"
            assert first.keys() <= terminal.posted.keys()
            assert list(first) == sorted(first), f"{terminal.name}: not in order"
            for number, timestamp in first.items():
                assert terminal.posted[number] - 1 <= timestamp
                assert timestamp <= terminal.confirmed.get(number, float("inf")) + 1
        return sum(map(len, found.values())), again
