"""messages.md, "Who wins": of all records with one key the greatest (`updated_at` in ms, value's bytes)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.reference.fields import NotJson, Schema, check_version, read_json
from tests.reference.records import InputRecord, place_of


def read_registry(
    records: Iterable[InputRecord],
    name: str,
    read: Callable[[Any], Any],
    key: Callable[[Any, InputRecord], Any],
    rejects: dict[str, str],
) -> dict[Any, Any]:
    """Key → winning message. An empty value changes nothing. What is not accepted goes to `rejects`."""
    best: dict[Any, tuple[int, bytes, Any]] = {}
    for record in records:
        if not record.value:
            continue
        try:
            content = read_json(record.value)
            check_version(record.headers, name)
            message = read(content)
        except NotJson:
            rejects[place_of(record, None)] = "not_json"
            continue
        except Schema:
            rejects[place_of(record, None)] = "schema"
            continue
        at = key(message, record)
        rank = (message.updated_ms, record.value)
        if at not in best or rank > best[at][:2]:
            best[at] = (*rank, message)
    return {at: message for at, (_, _, message) in best.items()}


def own_key(record: InputRecord, unkeyed: Sequence[Any] = ()) -> Any:
    """The record's Kafka key; a record without one is alone with itself."""
    return record.key if record.key is not None else (record.topic, record.partition, record.offset)
