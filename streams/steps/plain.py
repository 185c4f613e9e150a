"""The steps behind `organisations` and `coverage`: registries that hold no code and are read by counters alone."""

from __future__ import annotations

from schemas.coverage import Coverage, decode_coverage
from schemas.decoding import Problem
from schemas.organisation import Organisation, decode_organisation
from streams.ports import Message
from streams.state.places import CoverageTable, OrganisationTable, PlainRow, decode_plain, encode_plain
from streams.state.table import Table
from streams.steps.registry import RegistryStep
from streams.steps.triggers import Triggers
from streams.steps.worker import Worker


class _Plain(RegistryStep):
    async def _keep(self, kind: str, table: Table, field: str, updated_at: int, value: bytes) -> None:
        new, store = PlainRow(updated_at, value), self.worker.store
        while True:
            had = await table.read(store, field)
            if had and _rank(decode_plain(had)) >= _rank(new):
                break
            if await table.put(store, field, had, encode_plain(new)):
                break
        await self._announce(kind, table, field)


def _rank(row: PlainRow) -> tuple[int, bytes]:
    return row.updated_at, row.value


class Organisations(_Plain):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._table = OrganisationTable()

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        found = decode_organisation(message.value, message.headers)
        if isinstance(found, Organisation):
            await self._keep("organisation", self._table, found.organisation, found.updated_at, message.value or b"")
            return None
        return found


class CoverageOfAreas(_Plain):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self._table = CoverageTable()

    async def _take(self, message: Message, topic: str, triggers: Triggers) -> Problem | None:
        found = decode_coverage(message.value, message.headers)
        if isinstance(found, Coverage):
            await self._keep("coverage", self._table, found.area, found.updated_at, message.value or b"")
            return None
        return found
