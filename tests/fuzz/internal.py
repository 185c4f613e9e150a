"""What must be refused on `evaluate` and `combine`, where only workers ought to write; in the reference's own way."""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Callable, Iterable
from typing import Any

from tests.reference.fields import Fields, NotJson, Schema, check_version, read_json
from tests.reference.records import InputRecord, place_of


def _pseudonym(text: Any) -> str:
    """`p1` and the base32 of 16 bytes, and nothing that only decodes to them."""
    if not isinstance(text, str) or text[:2] != "p1" or len(text) != 28:
        raise Schema
    try:
        digest = b32decode(text[2:].upper() + "======")
    except ValueError:
        raise Schema from None
    if "p1" + b32encode(digest).decode().rstrip("=").lower() != text:
        raise Schema
    return text


def _evaluate_key(content: Any) -> str:
    fields = Fields(content)
    persons = content.get("persons")
    if persons is not None:
        if not isinstance(persons, list):
            raise Schema
        for person in persons:
            _pseudonym(person)
    return fields.identifier("case_id") or ""


def _combine_key(content: Any) -> str:
    fields = Fields(content)
    venue, person = fields.identifier("venue_id", needed=False), content.get("person")
    if (venue is None) == (person is None):
        raise Schema
    return _pseudonym(person) if venue is None else f"venue/{venue}"


KEY_OF: dict[str, Callable[[Any], str]] = {"evaluate": _evaluate_key, "combine": _combine_key}


def internal_rejects(records: Iterable[InputRecord], partition_of: Callable[[bytes], int]) -> dict[str, str]:
    """Place → reason, as for other topics. In another partition than its key's a request is refused as well."""
    rejects = {}
    for record in records:
        if not record.value:
            continue
        try:
            content = read_json(record.value)
            check_version(record.headers, record.topic)
            if partition_of(KEY_OF[record.topic](content).encode()) != record.partition:
                raise Schema
        except NotJson:
            rejects[place_of(record, None)] = "not_json"
        except Schema:
            rejects[place_of(record, None)] = "schema"
    return rejects
