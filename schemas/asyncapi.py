"""One AsyncAPI 3 document of all topics: what Truyvet receives, what it sends, under which keys."""

from __future__ import annotations

from typing import Any

from schemas.catalogue import MESSAGES, MessageType
from schemas.jsonschemas import components

_TEXT = (
    "Contact tracing from venue check-ins. JSON in UTF-8. Unknown fields are ignored; known fields are checked "
    "strictly; an optional field that is null counts as absent. What is not accepted goes to `rejects` with a reason. "
    "Of all records of a registry with one key the one with the greatest (`updated_at`, then the value's bytes) wins, "
    "whatever came last. An empty value changes nothing. Topic names may carry a prefix."
)


def document() -> dict[str, Any]:
    """The document as plain data, ready for JSON."""
    schemas: dict[str, Any] = {}
    messages = {m.name: _message(m, schemas) for m in MESSAGES}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:truyvet",
        "info": {
            "title": "Truyvet",
            "version": "1.0.0",
            "description": _TEXT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {m.topic: _channel(m) for m in MESSAGES},
        "operations": {f"{_action(m)}-{m.topic}": _operation(m) for m in MESSAGES if m.direction != "internal"},
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(message: MessageType, schemas: dict[str, Any]) -> dict[str, Any]:
    root, parts = components(message)
    for name, part in parts.items():
        if schemas.setdefault(name, part) != part:
            raise ValueError(f"two different parts are called {name}")
    return {
        "name": message.name,
        "title": f"{message.name}/1",
        "headers": {
            "type": "object",
            "properties": {
                "tv-schema": {
                    "type": "string",
                    "description": "Name and version; absent = 1.",
                    "pattern": rf"^{message.name}/1(\..*)?$",
                },
                "tv-gateway": {"type": "string", "description": "Reserved."},
                "tv-sig": {"type": "string", "description": "Reserved: a signature of the value."},
            },
        },
        "payload": root,
        "bindings": {"kafka": {"key": {"type": "string", "description": message.key}}},
    }


def _channel(message: MessageType) -> dict[str, Any]:
    return {
        "address": message.topic,
        "messages": {message.name: {"$ref": f"#/components/messages/{message.name}"}},
        "bindings": {"kafka": {"topic": message.topic}},
        **({"description": "Internal: may change at any time."} if message.direction == "internal" else {}),
    }


def _action(message: MessageType) -> str:
    return "receive" if message.direction == "in" else "send"


def _operation(message: MessageType) -> dict[str, Any]:
    channel = f"#/channels/{message.topic}"
    return {
        "action": _action(message),
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{message.name}"}],
    }
