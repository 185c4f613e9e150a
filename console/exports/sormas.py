"""SORMAS: contacts to import ("Contacts > Import", without a case chosen).

Columns are property paths of `ContactDto` and `PersonDto`, below a row that says of which entity each is, as SORMAS's
own template has them (`ImportFacadeEjb.generateContactImportTemplateFile`, `ContactImporter` of
github.com/SORMAS-Foundation/SORMAS-Project, looked up 2026-11). `caseIdExternalSystem` is Truyvet's case_id: SORMAS
keeps it on the contact, and links the contact where it is the UUID of a case of its own. Dates are read by the language
of the SORMAS user: `us_dates` for one who uses English.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from console.exports.sheets import Sheet
from console.times import local

COLUMNS = (
    "caseIdExternalSystem",
    "disease",
    "reportDateTime",
    "multiDayContact",
    "firstContactDate",
    "lastContactDate",
    "contactClassification",
    "description",
    "externalToken",
    "highPriority",
    "overwriteFollowUpUntil",
    "followUpUntil",
    "person.firstName",
    "person.lastName",
    "person.sex",
)
_CLASSIFICATION = {"co-presence": "UNCONFIRMED", "confirmed": "CONFIRMED", "dismissed": "NO_CONTACT"}


def sheet(records: Iterable[dict[str, Any]], disease: str, *, us_dates: bool = False) -> Sheet:
    """Of records of the topic `exposures`; F2 stay out. `disease`: a name of SORMAS's list, such as CORONAVIRUS."""
    day = "%m/%d/%Y" if us_dates else "%d/%m/%Y"
    entities = ["Person" if column.startswith("person.") else "Contact" for column in COLUMNS]
    rows = [_row(record, disease, day) for record in records if record["level"] == "F1"]
    return Sheet("contacts", COLUMNS, rows, above=[entities])


def _row(record: dict[str, Any], disease: str, day: str) -> list[Any]:
    first, last = local(record["first_at"]), local(record["last_at"])
    until = (record.get("advice") or {}).get("follow_up_until")
    venues = dict.fromkeys(episode["venue_id"] for episode in record.get("episodes") or ())
    return [
        record["case_id"],
        disease,
        local(record["issued_at"]).strftime(f"{day} %H:%M"),
        "true" if first.date() != last.date() else "false",
        first.strftime(day),
        last.strftime(day),
        _CLASSIFICATION[record.get("certainty") or "co-presence"],
        f"{record.get('minutes') or 0} min, score {record.get('score') or 0:g}: {', '.join(venues)}",
        record["exposure_id"],
        "true" if record.get("band") == "high" else "false",
        "true" if until else "false",
        datetime.date.fromisoformat(until).strftime(day) if until else "",
        record["person"],
        record["person"],  # both names are asked for; there are none outside the vault
        "UNKNOWN",
    ]
