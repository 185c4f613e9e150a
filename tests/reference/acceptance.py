"""Rule 1: which scans count, and what is rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.reference.codes import canonical
from tests.reference.fields import NotJson, Schema, check_version, local_day, read_json
from tests.reference.messages import Gateway, Scan, scan_of
from tests.reference.policies import Policy, policy_of_day
from tests.reference.records import InputRecord, place_of


class Fact(NamedTuple):
    """A scan is its (person's code, second, venue, direction, role); ids only name it (rule 1)."""

    code: str
    second: int
    venue: str
    direction: str
    role: str


class Accepted(NamedTuple):
    """Distinct scans that count (voided ones are out), and those that were taken back."""

    scans: set[Fact]
    voids: set[Fact]


def refusal(
    scan: Scan, stamp: int, policies: Sequence[Policy], retention_days: int | None, gateway: Gateway | None
) -> str | None:
    """The reason, in the order of rule 1; `stamp` = the record's timestamp in whole seconds."""
    policy = policy_of_day(policies, local_day(stamp))
    days = policy["scan"]["retention_days"] if retention_days is None else retention_days
    if scan.second - stamp > policy["scan"]["clock_tolerance"]:
        return "future"
    if days and stamp - scan.second > days * 86400:
        return "expired"
    if gateway is not None and gateway.revoked is not None and stamp >= gateway.revoked:
        return "closed_gateway"
    return None


def accepted_scans(
    records: Iterable[InputRecord],
    policies: Sequence[Policy],
    retention_days: int | None,
    gateways: Mapping[str, Gateway],
    rejects: dict[str, str],
) -> Accepted:
    """All scans of the topic `scans`. One record holds one scan or a gateway's batch of at most 1,000."""
    scans: set[Fact] = set()
    voids: set[Fact] = set()
    for record in records:
        try:
            content = read_json(record.value)
            check_version(record.headers, "scan")
            if isinstance(content, list) and len(content) > 1000:
                raise Schema
        except NotJson:
            rejects[place_of(record, None)] = "not_json"
            continue
        except Schema:
            rejects[place_of(record, None)] = "schema"
            continue
        batch = list(enumerate(content)) if isinstance(content, list) else [(None, content)]
        for index, element in batch:
            try:
                scan = scan_of(element)
            except Schema:
                rejects[place_of(record, index)] = "schema"
                continue
            gateway = gateways.get(scan.gateway)
            if gateway is not None:  # an officer's correction: `scanned_at` minus it counts
                scan = scan._replace(second=scan.second - gateway.offset)
            reason = refusal(scan, record.timestamp // 1000, policies, retention_days, gateway)
            if reason is not None:
                rejects[place_of(record, index)] = reason
                continue
            fact = Fact(canonical(scan.person), scan.second, scan.venue, scan.direction, scan.role)
            (voids if scan.void else scans).add(fact)
    return Accepted(scans - voids, voids)
