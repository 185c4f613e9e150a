"""`tv:pub:silent`: when each registered venue was scanned last, so that a poster nobody reads any more is seen."""

from __future__ import annotations

from streams.ports import Call
from streams.state import public
from streams.steps.registers import Registers
from streams.steps.worker import Worker


class Silent:
    """A venue was scanned when a room of it was. What was seen on days that are forgotten meanwhile is remembered as
    long as this owner counts; a new one knows of what is kept."""

    def __init__(self, worker: Worker, registers: Registers) -> None:
        self._worker, self._registers = worker, registers
        self._last: dict[bytes, dict[int, int]] = {}
        self.stale = True

    def saw(self, token: bytes, day: int, second: int) -> None:
        """The last scan of a venue on a local day; 0 = none."""
        self._last.setdefault(token, {})[day] = second
        self.stale = True

    async def write(self) -> None:
        if not self.stale:
            return
        last = {token: max(days.values()) for token, days in self._last.items()}
        registers = self._registers
        silent = {
            venue_id: max(last.get(token, 0) for token in registers.under(venue_id))
            for venue_id in registers.places.rows
        }
        call: Call = public.set_call(public.SILENT, silent, kept=0)
        await public.write(self._worker.store, [call])
        self.stale = False
