"""Go.Data (WHO): contacts and relationships to import.

Columns are named as in Go.Data's own exports and its API: `common/models/contact.js` and `relationship.js` of
github.com/WorldHealthOrganization/GoDataSource-API (looked up 2026-11). Its import asks which column is which field and
proposes those whose names it knows; choices are its reference data (`LNG_REFERENCE_DATA_…`). `visualId` of a contact is
its pseudonym, that of a case Truyvet's case_id: cases must be in Go.Data under that id before their relationships are.

A contact is one row, however many cases; a relationship is a row for each case. F2 are no contacts of the case and stay
out, as does what a tracer dismissed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.exports.sheets import Sheet
from console.times import local

_CERTAINTY = "LNG_REFERENCE_DATA_CATEGORY_CERTAINTY_LEVEL_"
_RISK = {
    "high": "LNG_REFERENCE_DATA_CATEGORY_RISK_LEVEL_3_HIGH",
    "medium": "LNG_REFERENCE_DATA_CATEGORY_RISK_LEVEL_2_MEDIUM",
    "low": "LNG_REFERENCE_DATA_CATEGORY_RISK_LEVEL_1_LOW",
}
_OF_RELATION = ("dateOfFirstContact", "contactDate", "contactDateEstimated", "certaintyLevelId", "comment")
CONTACTS = (
    "visualId",
    "firstName",
    "dateOfReporting",
    "riskLevel",
    "riskReason",
    "followUp.endDate",
    "relationship.relatedId",
    *(f"relationship.{name}" for name in _OF_RELATION),
)
RELATIONSHIPS = ("sourcePerson", "targetPerson", *_OF_RELATION)


def sheets(records: Iterable[dict[str, Any]]) -> tuple[Sheet, Sheet]:
    """(contacts, relationships) of records of the topic `exposures`."""
    contacts: dict[str, dict[str, Any]] = {}
    pairs = []
    for record in records:
        if record["level"] != "F1" or record.get("certainty") == "dismissed":
            continue
        pairs.append([record["case_id"], record["person"], *_relation(record)])
        strongest = contacts.get(record["person"])
        if strongest is None or (record.get("score") or 0) > (strongest.get("score") or 0):
            contacts[record["person"]] = record
    rows = [
        [
            person,
            person,  # a name is asked for; there is none outside the vault
            _day(record["issued_at"]),
            _RISK.get(record.get("band") or "", ""),
            f"score {record['score']:g}" if record.get("score") is not None else "",
            (record.get("advice") or {}).get("follow_up_until"),
            record["case_id"],
            *_relation(record),
        ]
        for person, record in sorted(contacts.items())
    ]
    return Sheet("contacts", CONTACTS, rows), Sheet("relationships", RELATIONSHIPS, sorted(pairs))


def _relation(record: dict[str, Any]) -> list[Any]:
    venues = dict.fromkeys(episode["venue_id"] for episode in record.get("episodes") or ())
    inferred = any(episode["inferred"] for episode in record.get("episodes") or ())
    return [
        _day(record["first_at"]),
        _day(record["last_at"]),
        "true" if inferred else "false",
        _certainty(record),
        f"{record.get('minutes') or 0} min: {', '.join(venues)}",
    ]


def _day(text: str) -> str:
    return local(text).date().isoformat()


def _certainty(record: dict[str, Any]) -> str:
    """A tracer confirmed it: high. In one room at one time: medium. Only after the case: low."""
    if record.get("certainty") == "confirmed":
        return _CERTAINTY + "3_HIGH"
    return _CERTAINTY + ("2_MEDIUM" if record.get("direct_minutes") else "1_LOW")
