"""What all who are signed in share: users, sessions, the board, and the ways to Redis and Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.deskpage.board import Board
from console.deskpage.feed import follow
from console.deskpage.figures import Counters
from console.deskpage.ledger import Ledger
from console.deskpage.looks import Looks
from console.deskpage.names import VenueNames
from console.deskpage.proposals import Proposals
from console.deskpage.sessions import Doorkeeper, Sessions
from console.deskpage.users import Users
from console.page import Health

if TYPE_CHECKING:
    from streams.ports import Call
    from streams.runtime.redis import RedisStore
    from streams.runtime.settings import Settings

_PATIENCE = 2.0
"""seconds: somebody sits in front of the page"""


class LateStore:
    """The Store port, connected when it is first asked: the page starts, and says so, where Redis is not there yet."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: RedisStore | None = None
        self._opening = asyncio.Lock()

    async def opened(self) -> RedisStore:
        """Raises StoreDown."""
        from streams.runtime.redis import RedisStore

        async with self._opening:
            if self._store is None:
                self._store = await RedisStore.open(self._url, patience=_PATIENCE)
            return self._store

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        """Raises StoreDown."""
        return await (await self.opened()).run(calls)

    async def close(self) -> None:
        if self._store is not None:
            await self._store.close()


class Desk:
    """`start` in the loop that serves the page, `close` at its end. `pids`: of the processes that `up` runs."""

    def __init__(
        self, settings: Settings, folder: Path, pids: Callable[[], dict[str, Any]], *, following: bool = True
    ) -> None:
        self.settings = settings
        self.users = Users(folder)
        self.sessions, self.door = Sessions(self.users), Doorkeeper()
        self.proposals = Proposals(folder)
        self.board = Board()
        self.store = LateStore(settings.redis)
        self.ledger, self.counters = Ledger(self.store, self.board), Counters(self.store)
        self.names = VenueNames(self.store)
        self.looks = Looks(settings, self.store)
        self.health = Health(settings, pids)
        self.state: dict[str, Any] = {"state": "loading"}
        self._following = following
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._watch()))
        if self._following:
            self._tasks.append(asyncio.create_task(follow(self.settings, self.board)))

    async def _watch(self) -> None:
        """How the system is, for all windows: none of them waits for a Kafka that does not answer."""
        while True:
            self.state = await self.health.now()
            await asyncio.sleep(1.0)

    def versions(self) -> tuple[int, int, int]:
        """Other numbers mean that something came since."""
        return self.board.version, self.board.audit_version, self.proposals.version

    async def close(self) -> None:
        from streams.runtime.exits import end_tasks  # brings Kafka's client along

        await end_tasks(self._tasks)
        for part in (self.looks, self.health, self.store):
            with suppress(Exception):  # the process ends: nothing is lost by a connection that does not close
                await part.close()
