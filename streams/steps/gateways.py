"""The step behind `gateways`: which terminals are closed, and whose clock is wrong by how much (rule 1).

It holds for scans from here on. Scans that were taken in before are facts without their gateway, so a closing or a
correction that came after them reaches them only by `truyvet rebuild`, which reads the registry first. Until then the
answer depends on which of the two came first (rule 0 is kept by the rebuild).
"""

from __future__ import annotations

from schemas.decoding import Problem, decode_gateway
from streams.ports import Message
from streams.state import gateways
from streams.state.gateways import GatewayRow
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers


class Gateways(RegistryStep):
    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        gateway = decode_gateway(message.value, message.headers)
        if gateway is None or isinstance(gateway, Problem):
            return gateway
        new = GatewayRow(gateway.updated_at, message.value or b"", gateway.revoked_at, gateway.clock_offset_s)
        table, store = self.worker.gateways, self.worker.store
        while True:
            had = await table.read(store, gateway.gateway_id)
            if had and _rank(gateways.decode_row(had)) >= _rank(new):
                break
            if await table.put(store, gateway.gateway_id, had, gateways.encode_row(new)):
                break
        await self._announce("gateway", table, gateway.gateway_id)
        return None


def _rank(row: GatewayRow) -> tuple[int, bytes]:
    """Who wins (messages.md): the greatest."""
    return row.updated_at, row.value
