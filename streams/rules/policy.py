"""Rule 9: the figures of the contact rules, and which of them hold on which day. Their form: policy_form.py."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

from streams.rules.days import day_number, local_day
from streams.rules.policy_form import PolicyError, exact, read_form

__all__ = ["Policies", "Policy", "PolicyConflict", "PolicyError", "VenueType", "load_policies", "policy_of_json"]

BUILT_IN: Final = Path(__file__).parent / "policies"


class PolicyConflict(PolicyError):
    """Other content under an id that is known (messages.md: `policy_conflict`)."""


class VenueType(NamedTuple):
    """Minutes assumed without a check-out, believed with one, that a room stays risky; weight of the setting."""

    dwell: int
    max_stay: int
    linger: int
    setting: Fraction


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. Figures that steps add to times are in seconds, the others in the unit that their name says.

    Decimal figures are exact fractions of what was typed: 0.1 is 1/10 (rule 7 computes exactly).
    """

    id: str
    in_force_from: date
    source: str
    clock_tolerance: int  # seconds
    retention_days: int
    conflict_seconds: int
    shared_code_limit: int  # scans of one code on one day
    before_days: int
    after_days: int
    min_minutes: int
    within_hours: int
    latency_hours: int
    crowd_limit: int
    approval_above: int
    publish_f2: bool
    staff_dwell: int  # seconds
    staff_max_stay: int  # seconds
    cluster_cases: int
    cluster_days: int
    venue: Mapping[str, VenueType]
    infectiousness: Mapping[int, Fraction]
    infectiousness_default: Fraction
    band_high: Fraction
    band_medium: Fraction
    follow_up: int  # days, as the next two
    follow_up_vaccinated: int
    test_on: int
    first_day: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_day", day_number(self.in_force_from))

    def venue_type(self, name: str) -> VenueType:
        """Figures of a type; one that the policy does not know is `other` (rule 1)."""
        return self.venue.get(name) or self.venue["other"]

    def infectiousness_on(self, day: int) -> Fraction:
        """By whole days from onset (or sample)."""
        return self.infectiousness.get(day, self.infectiousness_default)


class Policies:
    """Policies by the day from which they hold. Immutable; at least one."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._by_id: dict[str, Policy] = {}
        for policy in policies:
            if self._by_id.setdefault(policy.id, policy) != policy:
                raise PolicyConflict(f"id: policy {policy.id!r} is known with other content")
        if not self._by_id:
            raise PolicyError("expected at least one policy")
        self._ordered = sorted(self._by_id.values(), key=lambda p: (p.first_day, p.id))
        earliest = self._ordered[0].first_day
        self._first = max((p for p in self._ordered if p.first_day == earliest), key=lambda p: p.id)

    def __iter__(self) -> Iterator[Policy]:
        """Oldest first."""
        return iter(self._ordered)

    def with_policy(self, policy: Policy) -> Policies:
        """These and one more. Raises PolicyConflict; the same policy again changes nothing."""
        return Policies([*self._ordered, policy])

    def by_id(self, name: str) -> Policy:
        """Raises KeyError for one that is not known."""
        return self._by_id[name]

    def of_day(self, day: int) -> Policy:
        """The newest in force on a local day (its number), before all of them the first; at a tie the greater id."""
        found = self._first
        for policy in self._ordered:
            if policy.first_day > day:
                break
            found = policy
        return found

    def of_time(self, second: int) -> Policy:
        """The same for the local day of a time (seconds UTC)."""
        return self.of_day(local_day(second))


def load_policies(folder: Path | None = None) -> Policies:
    """All `*.toml` of a folder, None = the built-in ones. Raises PolicyError, also when there is none."""
    files = sorted((folder or BUILT_IN).glob("*.toml"))
    if not files:
        raise PolicyError(f"{folder}: expected at least one file *.toml")
    known: dict[str, Path] = {}
    policies = []
    for file in files:
        policy = _policy_of_file(file)
        if policy.id in known:
            raise PolicyError(f"{file}: id: {known[policy.id].name} has the same id")
        known[policy.id] = file
        policies.append(policy)
    return Policies(policies)


def policy_of_json(value: bytes | str) -> Policy:
    """One record of the topic `policies`. Fields that are not known are ignored. Raises PolicyError."""
    try:
        data = json.loads(value)
    except (ValueError, RecursionError):
        raise PolicyError("policy: expected JSON") from None
    return make_policy(data, "policy", known_only=False)


def _policy_of_file(file: Path) -> Policy:
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"{file}: {error}") from None
    return make_policy(data, str(file), known_only=True)


def make_policy(data: object, name: str, *, known_only: bool) -> Policy:
    """Parsed TOML or JSON → policy; `name` stands in errors, `known_only` refuses what no policy has."""
    form, venue, infectiousness, default = read_form(data, name, known_only=known_only)
    return Policy(
        id=form.id,
        in_force_from=form.in_force_from,
        source=form.source,
        clock_tolerance=form.scan.clock_tolerance,
        retention_days=form.scan.retention_days,
        conflict_seconds=form.scan.conflict_seconds,
        shared_code_limit=form.scan.shared_code_limit,
        before_days=form.case.before_days,
        after_days=form.case.after_days,
        min_minutes=form.contact.min_minutes,
        within_hours=form.contact.within_hours,
        latency_hours=form.contact.latency_hours,
        crowd_limit=form.contact.crowd_limit,
        approval_above=form.contact.approval_above,
        publish_f2=form.contact.publish_f2,
        staff_dwell=form.staff.dwell * 60,
        staff_max_stay=form.staff.max_stay * 60,
        cluster_cases=form.cluster.cases,
        cluster_days=form.cluster.days,
        venue={kind: VenueType(v.dwell, v.max_stay, v.linger, exact(v.setting)) for kind, v in venue.items()},
        infectiousness={day: exact(weight) for day, weight in infectiousness.items()},
        infectiousness_default=exact(default),
        band_high=exact(form.bands.high),
        band_medium=exact(form.bands.medium),
        follow_up=form.advice.follow_up,
        follow_up_vaccinated=form.advice.follow_up_vaccinated,
        test_on=form.advice.test_on,
    )
