"""One line of the audit log (topic `audit`; tracing-rules.md, rule 10; architecture.md, section 6)."""

from __future__ import annotations

from typing import Literal

import msgspec

Action = Literal["reidentify", "erase", "hold", "decision", "export", "policy", "anchor", "look"]
"""What is done to somebody's data, or decided. `hold` covers `unhold`; `anchor` lists the heads of other chains;
`look`: somebody at the desk page saw a case's exposures, its graph, or why one exposure is what it is."""

Outcome = Literal["done", "refused", "unknown", "destroyed"]
"""`refused`: an erase while a hold stands. `unknown`, `destroyed`: a pseudonym the vault never had, or has no more."""


class Head(msgspec.Struct, frozen=True):
    """The last line of a chain, and where it lay, as an anchor saw it."""

    chain: str
    seq: int
    digest: str
    partition: int
    offset: int


class AuditLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. Its record's key is `chain`, so that a chain lies in one partition, in its order.

    `seq` counts from 1 in each chain. `previous` is the digest of the chain's line before ("" for the first), `digest`
    that of this line without it (hex of SHA-256; streams/rules/auditchain.py) and always the last field. `subject` is a
    pseudonym, or the id of a case, an exposure or a policy; never a code. `by` is a person or a part of the system,
    `reason` is what that person gave. `heads` is an anchor's. `action` and `outcome`: Action, Outcome; the lists grow.
    """

    chain: str
    seq: int
    at: str
    action: str
    by: str
    subject: str
    reason: str
    outcome: str
    previous: str
    case_id: str | None = None
    heads: tuple[Head, ...] = ()
    digest: str = ""
