"""The policies that came by their topic, in every worker."""

from __future__ import annotations

import msgspec

from schemas.policy import PolicyFrame
from streams.rules.policy import Policy, make_policy
from streams.state.table import Table

_decoder = msgspec.json.Decoder(PolicyFrame)


class PolicyTable(Table[Policy]):
    """By id. A row is the frame as JSON, and never changes."""

    def __init__(self) -> None:
        super().__init__("policies", lambda id_, row: make_policy(_decoder.decode(row).content, id_, known_only=False))
