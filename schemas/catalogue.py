"""Every message type that travels: its name, topic, key, Struct. Whatever documents or tests them starts here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from schemas import case, coverage, decision, gateway, organisation, person, policy, scan, venue
from schemas.audit import AuditLine
from schemas.case_status import CaseStatus
from schemas.cluster import Cluster
from schemas.combine import Combine
from schemas.evaluate import Evaluate
from schemas.exposure import Exposure
from schemas.followup import Followup
from schemas.reading import Headers, Reader
from schemas.registry import Registered
from schemas.reject import Reject
from schemas.venue_alert import VenueAlert

Decode = Callable[[bytes | None, Headers], Any]


class MessageType(NamedTuple):
    """`name` as in the header `tv-schema: name/1`; `shape` = its Struct as it travels, or a union of them.

    `decode` gives the checked message, a Problem, or None; only what comes in has one.
    """

    name: str
    topic: str
    direction: Literal["in", "out", "internal"]
    key: str
    shape: Any
    decode: Decode | None = None


def _incoming(reader: Reader[Any, Any], topic: str, key: str) -> MessageType:
    return MessageType(reader.name, topic, "in", key, reader.wires, reader.read)


def _first_scan(value: bytes | None, headers: Headers = ()) -> Any:
    """A record of scans as one answer: its first problem, else its scans (None: an empty record is `not_json`)."""
    scans, problems = scan.decode_scans(value, headers)
    return problems[0] if problems else [found for _, found in scans]


MESSAGES: tuple[MessageType, ...] = (
    MessageType("scan", "scans", "in", "none, or `gateway_id`; never a person's code", scan.ScanWire, _first_scan),
    _incoming(venue.READER, "venues", "`venue_id`"),
    _incoming(organisation.READER, "organisations", "`organisation`"),
    _incoming(gateway.READER, "gateways", "`gateway_id`"),
    _incoming(coverage.READER, "coverage", "`area`"),
    _incoming(policy.READER, "policies", "`id`"),
    _incoming(case.READER, "cases", "`case_id`"),
    _incoming(person.READER, "people", "anything but a code"),
    _incoming(decision.READER, "decisions", "`case_id` or `exposure_id`"),
    MessageType("exposure", "exposures", "out", "`exposure_id`", Exposure),
    MessageType("venue-alert", "venue-alerts", "out", "`alert_id`", VenueAlert),
    MessageType("case-status", "case-status", "out", "`case_id`", CaseStatus),
    MessageType("cluster", "clusters", "out", "`cluster_id`", Cluster),
    MessageType("followup", "followups", "out", "`person` (pseudonym)", Followup),
    MessageType("reject", "rejects", "out", "`topic/partition/offset/index`", Reject),
    MessageType("audit", "audit", "out", "`chain`", AuditLine),
    MessageType("evaluate", "evaluate", "internal", "`case_id`", Evaluate),
    MessageType("combine", "combine", "internal", "`person`, or `venue/` and `venue_id`", Combine),
    MessageType("registry", "registry", "internal", "`kind/key`", Registered),
)
BY_NAME = {message.name: message for message in MESSAGES}
