"""JSON Schema (draft 2020-12) of each message type, made from its Struct.

What comes in is as strict as the decoder, as far as JSON Schema can say it. It can't say: that 1.0 is no whole number,
that the 30th of February is no date, that one date must not be before another, which text is NFC. Outputs may gain
fields, and readers must ignore those that they don't know.
"""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.catalogue import MessageType
from schemas.scan import MAX_BATCH

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def json_schema(message: MessageType) -> Schema:
    """One document that stands alone: its parts are under `$defs`."""
    root, parts = _with_parts(message, "#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": f"urn:truyvet:schema:{message.name}:1",
        "title": f"{message.name}/1",
        "description": f"One record of the topic `{message.topic}`.",
        **root,
        "$defs": parts,
    }


def components(message: MessageType) -> tuple[Schema, dict[str, Schema]]:
    """The same for an AsyncAPI document: the message's schema, and parts for its `components/schemas`."""
    return _with_parts(message, "#/components/schemas/{name}")


def _with_parts(message: MessageType, template: str) -> tuple[Schema, dict[str, Schema]]:
    (root,), parts = msgspec.json.schema_components([message.shape], ref_template=template)
    if message.name == "scan":
        batch = {"description": "A gateway's batch, at most 768 KiB.", "type": "array", "items": root}
        root = {"anyOf": [root, {**batch, "maxItems": MAX_BATCH}]}
    if message.name == "person":
        # The one condition between two fields that JSON Schema can say.
        parts["VaccinationWire"] |= {
            "if": {"properties": {"doses": {"const": 0}}},
            "else": {"required": ["last_dose_on"], "properties": {"last_dose_on": {"not": {"type": "null"}}}},
        }
    if message.name == "gateway":
        parts["GatewayWire"] |= {
            "if": {"properties": {"status": {"const": "revoked"}}, "required": ["status"]},
            "then": {"required": ["revoked_at"], "properties": {"revoked_at": {"not": {"type": "null"}}}},
        }
    return _without_wire(root), {name.removesuffix("Wire"): _without_wire(part) for name, part in parts.items()}


def _without_wire(node: Any) -> Any:
    """Struct names as readers know them, one line of description a paragraph.

    Left out: `discriminator`, which OpenAPI and AsyncAPI write in two ways and the tags' own `enum` makes needless.
    """
    if isinstance(node, dict):
        return {key: _word(key, _without_wire(value)) for key, value in node.items() if key != "discriminator"}
    if isinstance(node, list):
        return [_without_wire(value) for value in node]
    return node


def _word(key: str, value: Any) -> Any:
    if key in ("$ref", "title") and isinstance(value, str):
        return value.removesuffix("Wire")
    if key == "description" and isinstance(value, str):
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in value.split("\n\n"))
    return value
