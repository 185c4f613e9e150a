"""The form of a policy as people and registries write it: TOML, or the same tables in JSON (topic `policies`).

Strict: every figure must be there, of its type and within reason, since a default that nobody chose would decide about
people. TOML is typed by a person, so a field that is not known is refused there as a probable slip; in JSON it is
ignored, as in all messages (messages.md).
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

import msgspec

from schemas.texts import clean_id
from schemas.venue import TYPES


class PolicyError(ValueError):
    """A policy is not usable. The text names the file or policy, and the field."""


_DAY = re.compile(r"0|-?[1-9][0-9]{0,3}")
_MISSING = re.compile(r"Object missing required field `(.*)`")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
# As in `venues` (messages.md): the steps read that far around a scan, and no further.
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Linger = Annotated[int, msgspec.Meta(ge=0, le=60)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=365)]
Weight = Annotated[float, msgspec.Meta(ge=0, le=1_000)]
Points = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class ScanForm(msgspec.Struct):
    clock_tolerance: Annotated[int, msgspec.Meta(ge=0, le=86_400)]
    retention_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)]
    conflict_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)]
    shared_code_limit: Count


class CaseForm(msgspec.Struct):
    before_days: Days
    after_days: Days


class ContactForm(msgspec.Struct):
    min_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)]
    within_hours: Annotated[int, msgspec.Meta(ge=1, le=8760)]
    latency_hours: Annotated[int, msgspec.Meta(ge=0, le=8760)]
    crowd_limit: Count
    approval_above: Count
    publish_f2: bool


class StaffForm(msgspec.Struct):
    dwell: Minutes
    max_stay: Minutes


class ClusterForm(msgspec.Struct):
    cases: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=365)]


class VenueForm(msgspec.Struct):
    dwell: Minutes
    max_stay: Minutes
    linger: Linger
    setting: Weight


class BandsForm(msgspec.Struct):
    high: Points
    medium: Points


class AdviceForm(msgspec.Struct):
    follow_up: Days
    follow_up_vaccinated: Days
    test_on: Days


class Form(msgspec.Struct):
    """policy.toml, table by table. `infectiousness` by day; the key `default` has gone to its own field."""

    id: Id
    in_force_from: date
    source: str
    scan: ScanForm
    case: CaseForm
    contact: ContactForm
    staff: StaffForm
    cluster: ClusterForm
    venue: dict[str, Any]
    infectiousness: dict[str, Any]
    bands: BandsForm
    advice: AdviceForm


class Figures(NamedTuple):
    """A checked policy, the tables with free keys apart: checked one by one, so that errors name the entry."""

    form: Form
    venue: dict[str, VenueForm]
    infectiousness: dict[int, float]
    infectiousness_default: float


def read_form(data: object, name: str, *, known_only: bool) -> Figures:
    """Parsed TOML or JSON → checked figures. `name` = file or policy, for the error. Raises PolicyError."""
    form = _convert(data, Form, name, "")
    if known_only:
        _refuse_unknown(data, Form, name, "")
    try:
        clean_id(form.id)
    except ValueError as error:
        raise PolicyError(f"{name}: id: expected {error}") from None
    if form.bands.high < form.bands.medium:
        raise PolicyError(f"{name}: bands.high: expected at least bands.medium")
    return Figures(form, _venues(form, name, known_only), *_infectiousness(form, name))


def exact(number: float) -> Fraction:
    """The decimal number that was typed: 0.1 is 1/10, not the binary fraction next to it."""
    return Fraction(repr(number))


def _venues(form: Form, name: str, known_only: bool) -> dict[str, VenueForm]:
    for kind, figures in form.venue.items() if known_only else ():
        if kind not in TYPES:
            raise PolicyError(f"{name}: venue.{kind}: not a venue type")
        _refuse_unknown(figures, VenueForm, name, f"venue.{kind}.")
    for kind in TYPES:
        if kind not in form.venue:
            raise PolicyError(f"{name}: venue.{kind}: missing")
    return {kind: _convert(form.venue[kind], VenueForm, name, f"venue.{kind}.") for kind in TYPES}


def _infectiousness(form: Form, name: str) -> tuple[dict[int, float], float]:
    weights = {
        key: _convert(value, Weight, name, f"infectiousness.{key}.") for key, value in form.infectiousness.items()
    }
    if "default" not in weights:
        raise PolicyError(f"{name}: infectiousness.default: missing")
    default = weights.pop("default")
    for key in weights:
        # One way to write each day, or "1" and "01" would be one day with two weights.
        if _DAY.fullmatch(key) is None:
            raise PolicyError(f"{name}: infectiousness.{key}: expected a whole number of days, or default")
    return {int(key): weight for key, weight in weights.items()}, default


def _convert(data: object, shape: Any, name: str, path: str) -> Any:
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        # "Expected `int`, got `str` - at `$.scan.x`" → "scan.x: expected int, got str"
        text, _, where = str(error).partition(" - at `")
        field = (path + where.rstrip("`").removeprefix("$").removeprefix(".")).strip(".")
        missing = _MISSING.fullmatch(text)
        if missing is not None:
            field, text = f"{field}.{missing[1]}".strip("."), "missing"
        text = text.replace("`", "")
        raise PolicyError(": ".join(filter(None, (name, field, text[:1].lower() + text[1:])))) from None


def _refuse_unknown(data: Any, shape: type[msgspec.Struct], name: str, path: str) -> None:
    known = {field.name: field.type for field in msgspec.structs.fields(shape)}
    for key, value in data.items():
        if key not in known:
            raise PolicyError(f"{name}: {path}{key}: not a field of a policy")
        inner = known[key]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            _refuse_unknown(value, inner, name, f"{path}{key}.")
