"""A command that lists what stands of one kind: a table for people, the records as they were published for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from console.tables import as_json, count, table
from console.trouble import kafka_at, load_settings, redis_at

Record = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """`topic` whose records are listed; `names` = one and several of them; `row` = cells of `columns`; `order` = key to
    sort by; `numbers`, `spare` as console.tables.table takes them."""

    topic: str
    names: tuple[str, str]
    columns: Sequence[str]
    row: Callable[[Record], Sequence[Any]]
    order: Callable[[Record], Any]
    numbers: Sequence[str] = ()
    spare: Sequence[str] = ()

    def show(self, of: str | None, json_: bool, wanted: Callable[[Record], bool] = lambda record: True) -> None:
        """Print what stands, of one case (venue, person) or of all."""
        records = sorted(filter(wanted, self._read(of)), key=self.order)
        if json_:
            for record in records:
                as_json(record)
        elif records:
            title = count(len(records), *self.names)
            table(title, self.columns, [self.row(record) for record in records], self.numbers, self.spare)
        else:
            click.echo(f"No {self.names[0]} stands.")

    def _read(self, of: str | None) -> list[Record]:
        from console.ledger import standing

        settings = load_settings()
        with kafka_at(settings), redis_at(settings):
            return asyncio.run(standing(settings, self.topic, of))
