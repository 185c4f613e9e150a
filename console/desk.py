"""One message of the desk: checked as the pipeline will, published, and told without the code that is in it."""

from __future__ import annotations

import asyncio
import getpass
import json
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from console.trouble import WrongUse, kafka_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

CODES = ("code", "same_as", "person")
"""Fields of messages that hold a person's code."""


def who(by: str | None) -> str:
    """Who says it, where nobody said who: whoever works on this machine."""
    return by or getpass.getuser()


def new_key() -> str:
    """A record's key that says nothing of anybody."""
    return secrets.token_hex(8)


def send(
    settings: Settings, topic: str, key: str, message: dict[str, Any], decode: Callable[[bytes | None], Any]
) -> dict[str, Any]:
    """Publish a message (fields that are None left out) if `decode` takes it; what was sent, without codes.

    Raises WrongUse that names the field; Trouble where Kafka does not take it.
    """
    from console.publishing import send_keyed
    from schemas.problem import Problem

    full = {name: field for name, field in message.items() if field is not None}
    value = json.dumps(full, ensure_ascii=False).encode()
    checked = decode(value)
    if isinstance(checked, Problem):
        raise WrongUse(f"this would be rejected: {checked.detail}")
    with kafka_at(settings):
        asyncio.run(send_keyed(settings, topic, [(key, value)]))
    return {name: field for name, field in full.items() if name not in CODES}
