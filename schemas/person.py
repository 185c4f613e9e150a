"""What is said of persons' codes: links, vaccinations, tests, erasures, holds, employment (topic `people`).

One Struct an operation, told apart by `op`. Each says when it was said (`at`) and by whom.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from schemas.fields import Check, Code, Day, Ground, Id, Stamp, Time, as_it_is
from schemas.problem import FieldError, Problem
from schemas.reading import Headers, Reader, checked, updated

Doses = Annotated[int, msgspec.Meta(ge=0, le=99), Check(as_it_is, "a whole number from 0 to 99")]


class _Wire(msgspec.Struct, tag_field="op", kw_only=True):
    at: Time
    by: Id
    updated_at: Stamp | None = None


class LinkWire(_Wire, tag="link"):
    """Both codes belong to one person."""

    code: Code
    same_as: Code


class UnlinkWire(_Wire, tag="unlink"):
    """Ends every link of this code that was made at the same time or before."""

    code: Code


class VaccinationWire(_Wire, tag="vaccination"):
    """Doses so far. `last_dose_on` may be left out only where there was none."""

    code: Code
    doses: Doses
    last_dose_on: Day | None = None


class TestWire(_Wire, tag="test"):
    """A test's result, in the words of its laboratory."""

    code: Code
    sampled_at: Time
    result: Id
    kind: Id | None = None
    lab: Id | None = None


class EraseWire(_Wire, tag="erase"):
    """Forgets the scans up to `at` of all codes linked at that moment."""

    code: Code


class HoldWire(_Wire, tag="hold"):
    """A legal ground against erasing."""

    code: Code
    ground: Ground


class UnholdWire(_Wire, tag="unhold"):
    """Ends the holds made at the same time or before."""

    code: Code
    ground: Ground


class EmployWire(_Wire, tag="employ"):
    """Works for an organisation from a day, to a day (both included) or until further notice."""

    code: Code
    organisation: Id
    from_: Day = msgspec.field(name="from")
    to: Day | None = None


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """Checked. `code` as read, `at` in seconds UTC, `updated_at` in ms (its default: `at`)."""

    code: str
    at: int
    by: str
    updated_at: int


class Link(_Said, frozen=True, kw_only=True):
    same_as: str


class Unlink(_Said, frozen=True, kw_only=True):
    pass


class Vaccination(_Said, frozen=True, kw_only=True):
    """`last_dose_on` is None only when `doses` is 0."""

    doses: int
    last_dose_on: date | None = None


class Test(_Said, frozen=True, kw_only=True):
    """`sampled_at` in seconds UTC."""

    __test__ = False  # or pytest takes it for one of its own

    sampled_at: int
    result: str
    kind: str | None = None
    lab: str | None = None


class Erase(_Said, frozen=True, kw_only=True):
    pass


class Hold(_Said, frozen=True, kw_only=True):
    ground: str


class Unhold(_Said, frozen=True, kw_only=True):
    ground: str


class Employ(_Said, frozen=True, kw_only=True):
    """Local days, both included; `to` None = until further notice."""

    organisation: str
    from_: date
    to: date | None = None


PersonWire = LinkWire | UnlinkWire | VaccinationWire | TestWire | EraseWire | HoldWire | UnholdWire | EmployWire
Person = Link | Unlink | Vaccination | Test | Erase | Hold | Unhold | Employ
_CHECKED: dict[type, type[Person]] = {
    LinkWire: Link,
    UnlinkWire: Unlink,
    VaccinationWire: Vaccination,
    TestWire: Test,
    EraseWire: Erase,
    HoldWire: Hold,
    UnholdWire: Unhold,
    EmployWire: Employ,
}


def check_person(wire: PersonWire) -> Person:
    """What the types alone don't say. Raises FieldError."""
    found = checked(wire, _CHECKED[type(wire)], updated_at=updated(wire, "at"))
    if isinstance(found, Vaccination) and found.doses and found.last_dose_on is None:
        raise FieldError("last_dose_on", "a date, YYYY-MM-DD, as there are doses")
    if isinstance(found, Employ) and found.to is not None and found.to < found.from_:
        raise FieldError("to", "a day that is not before from")
    return found


READER: Reader[PersonWire, Person] = Reader("person", PersonWire, check_person)


def decode_person(value: bytes | None, headers: Headers = ()) -> Person | Problem | None:
    """One record of `people`; None for an empty value, which changes nothing. Never raises."""
    return READER.read(value, headers)
