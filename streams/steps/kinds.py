"""What can stand in a ledger: exposures, alerts, a case's status, presences; follow-ups and clusters. One table of how
each is named, written and read back, so that publishing, taking over and rebuilding treat all alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from schemas.case_status import CaseStatus
from schemas.cluster import Cluster
from schemas.encoding import encode
from schemas.exposure import Exposure
from schemas.followup import Followup
from schemas.registry import Registered
from schemas.venue_alert import VenueAlert
from streams.rules.codes import exposure_id, pseudonym_digest, pseudonym_text
from streams.state.standing import ALERT, CLUSTER, EXPOSURE, FOLLOWUP, PRESENCE, STATUS

Content = msgspec.Struct


class Presence(msgspec.Struct, frozen=True, array_like=True):
    """Internal: where a case was, from 14 days before its onset to the end of its window; what clusters are made of.

    `pieces` = (venue_id, start, end) in seconds, sorted; `turn` = the second from which the case counts as spreading.
    `person`: whose pieces they are (pseudonym), "" when there are none. A case may be corrected to be somebody else's.
    """

    case_id: str
    turn: int
    policy: str
    pieces: list[tuple[str, int, int]]
    person: str = ""


class Place(NamedTuple):
    """Where a record belongs in a ledger: the hash it is in, and its entry there."""

    of: str
    entry: bytes


@dataclass(frozen=True)
class Kind:
    """`path`: fields that tell the path and are no part of the answer (rule 0). `stands_always`: it has no status of
    its own, and stands from its first record on. `wrap` (of, body): what travels where it is not the body itself."""

    topic: str
    type: type[Content]
    path: dict[str, Any]
    place: Callable[[Any], Place]
    key_of: Callable[[bytes, str], bytes]
    stands_always: bool = False
    wrap: Callable[[str, bytes], bytes] = lambda of, body: body

    def encode(self, content: Content, number: int, status: str, issued: str, plain: bytes | None = None) -> bytes:
        """The record. `plain`, what the function of that name gave for the content, saves encoding it again: a case has
        thousands of exposures, whose numbers are written where the plain text has blanks."""
        if plain is not None and self.path.keys() <= _NUMBERED.keys() and plain.endswith(_NOT_ISSUED):
            blank, filled = b'"revision":0,', b'"revision":%d,' % number
            if "status" in self.path:
                blank, filled = blank + b'"status":"",', filled + b'"status":"%b",' % status.encode()
            # Only an id of hexadecimal digits, or a pseudonym, comes before it: the first is the field itself.
            before, found, after = plain.partition(blank)
            if found:
                return before + filled + after[: -len(_NOT_ISSUED)] + b',"issued_at":"%b"}' % issued.encode()
        values = {"revision": number, "status": status, "issued_at": issued, "evaluated_at": issued}
        changed = {name: values[name] for name in self.path if name in values}
        return encode(msgspec.structs.replace(content, **changed))

    def decode(self, value: bytes) -> Any:
        return _DECODERS[self.type].decode(value)


_NUMBERED = {"revision": 0, "status": "", "issued_at": ""}
_NOT_ISSUED = b',"issued_at":""}'

KINDS: dict[bytes, Kind] = {
    EXPOSURE: Kind(
        "exposures",
        Exposure,
        _NUMBERED,
        lambda record: Place(record.case_id, EXPOSURE + pseudonym_digest(record.person)),
        lambda entry, of: exposure_id(of, pseudonym_text(entry[1:])).encode(),
    ),
    ALERT: Kind(
        "venue-alerts",
        VenueAlert,
        _NUMBERED,
        lambda record: Place(record.case_id, ALERT + bytes.fromhex(record.alert_id)),
        lambda entry, of: entry[1:].hex().encode(),
    ),
    STATUS: Kind(
        "case-status",
        CaseStatus,
        {"revision": 0, "evaluated_at": "", "evaluated_through": None},
        lambda record: Place(record.case_id, STATUS),
        lambda entry, of: of.encode(),
        stands_always=True,
    ),
    PRESENCE: Kind(
        "registry",
        Presence,
        {},
        lambda record: Place(record.case_id, PRESENCE),
        lambda entry, of: f"presence/{of}".encode(),
        stands_always=True,
        wrap=lambda of, body: encode(Registered("presence", of, body)),
    ),
    FOLLOWUP: Kind(
        "followups",
        Followup,
        {"revision": 0, "issued_at": ""},
        lambda record: Place(record.person, FOLLOWUP),
        lambda entry, of: of.encode(),
        stands_always=True,
    ),
    CLUSTER: Kind(
        "clusters",
        Cluster,
        _NUMBERED,
        lambda record: Place(record.venue_id, CLUSTER + bytes.fromhex(record.cluster_id)),
        lambda entry, of: entry[1:].hex().encode(),
    ),
}
"""By the kind's byte in an entry."""

OF_CASES = (EXPOSURE, ALERT, STATUS)
COMBINED = (FOLLOWUP, CLUSTER)
"""Kinds with a topic of their own, by the line of the ledger that they are in."""

_DECODERS = {kind.type: msgspec.json.Decoder(kind.type) for kind in KINDS.values()}
_KIND_OF = {kind.type: kind for kind in KINDS.values()}


def plain(content: Content) -> bytes:
    """Its JSON with blanks for what tells the path."""
    path = _KIND_OF[type(content)].path
    for name, value in path.items():
        if getattr(content, name) != value:
            return encode(msgspec.structs.replace(content, **path))
    return encode(content)


def digest(content: Content) -> bytes:
    """16 bytes over all but what tells the path: equal digests = nothing changed = nothing is written."""
    return digest_of(plain(content))


def digest_of(text: bytes) -> bytes:
    """The same, of what `plain` gave."""
    return blake2b(text, digest_size=16).digest()
