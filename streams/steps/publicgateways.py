"""`tv:pub:gateway:…`: when each gateway was heard last, what it sent today, how wrong its clock seems to be.

"Today" is the local day of the newest record: figures of old data that is replayed are of its own days. `scans_today`
counts accepted scans as they came, `rejects_today` what was refused of it; a scan that is sent twice is two here, since
it is the gateway that is looked at. `offset_ms`: median of `scanned_at` less the record's timestamp in its newest
record, so a clock that is ahead is positive, as in the registry's `clock_offset_s`; the time a batch waited is in it.

`state`: `active` or `revoked` by the registry, `unregistered`; `silent` for an active one that nothing came from for an
hour before the newest record.
"""

from __future__ import annotations

from schemas.decoding import Problem, decode_gateway
from schemas.gateway import Gateway
from streams.rules.days import DAY, local_day
from streams.state import gates, public
from streams.state.gates import Gate
from streams.state.gateways import decode_row
from streams.state.generation import read_newest, read_offsets
from streams.state.table import Table
from streams.steps.worker import Worker

SILENT_AFTER = 3_600
NEVER = Gate(0, 0, 0, 0, 0, 0, 0)


class _Registered(Table[Gateway]):
    def __init__(self) -> None:
        super().__init__("gateways", _gateway)


def _gateway(field: str, row: bytes) -> Gateway:
    found = decode_gateway(decode_row(row).value)
    if found is None or isinstance(found, Problem):
        raise ValueError("the row of a gateway holds none")
    return found


class PublicGateways:
    """`tick()` writes those whose figures are others than before. `stale`: somebody counted since."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._registry = _Registered()
        self._until: dict[int, int] = {}
        self._of: dict[int, dict[str, Gate]] = {}
        self._shown: dict[str, dict[str, int | str]] = {}

    async def tick(self) -> None:
        worker = self._worker
        await self._registry.refresh(worker.store)
        newest = await read_newest(worker.store)
        partitions = sorted({p for topic, p in await read_offsets(worker.store) if topic == "scans"})
        ends = await gates.read_until(worker.store, partitions)
        for partition, end in zip(partitions, ends, strict=True):
            if self._until.get(partition) != end:
                self._of[partition] = await gates.read(worker.store, partition)
                self._until[partition] = end
                await self._drop_old(partition, newest)
        found: dict[str, Gate] = dict.fromkeys(self._registry.rows, NEVER)
        for mine in self._of.values():
            for name, gate in mine.items():
                found[name] = gates.joined(found[name], gate) if name in found else gate
        calls = []
        for name, gate in found.items():
            figures = self._figures(name, gate, newest)
            if self._shown.get(name) != figures:
                self._shown[name] = figures
                calls += public.hash_calls(public.gateway_key(name), figures)
        await public.write(worker.store, calls)

    async def _drop_old(self, partition: int, newest: int) -> None:
        """Ids are what gateways say they are: those nobody hears of any more must not stay for ever."""
        mine = self._of[partition]
        old = [name for name, gate in mine.items() if gate.newest // 1000 < newest - public.KEPT - DAY]
        await gates.drop(self._worker.store, partition, old)
        for name in old:
            del mine[name]

    def _figures(self, name: str, gate: Gate, newest: int) -> dict[str, int | str]:
        today = gate.day == local_day(newest)
        return {
            "last_record": gate.newest // 1000,
            "last_scan": gate.last_scan,
            "scans_today": gate.scans if today else 0,
            "rejects_today": gate.rejects if today else 0,
            "offset_ms": gate.offset_ms,
            "state": self._state(name, gate, newest),
        }

    def _state(self, name: str, gate: Gate, newest: int) -> str:
        known = self._registry.rows.get(name)
        if known is None:
            return "unregistered"
        if known.status == "revoked" or (known.revoked_at is not None and known.revoked_at <= newest):
            return "revoked"
        return "silent" if gate.newest // 1000 < newest - SILENT_AFTER else "active"
