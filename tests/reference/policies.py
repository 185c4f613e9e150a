"""Rule 9: which policy decides. A policy is a dict as its TOML file gives it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from tests.reference.fields import local_day, read_date

Policy = dict[str, Any]


def _from_day(policy: Policy) -> int:
    return read_date(str(policy["in_force_from"]))


def policy_of_day(policies: Sequence[Policy], day: int) -> Policy:
    """The newest in force on that local day; the first one for days before it; at a tie the greater id."""
    in_force = [policy for policy in policies if _from_day(policy) <= day]
    if not in_force:
        first = min(_from_day(policy) for policy in policies)
        in_force = [policy for policy in policies if _from_day(policy) == first]
    return max(in_force, key=lambda policy: (_from_day(policy), policy["id"]))


def policy_of_time(policies: Sequence[Policy], second: int) -> Policy:
    return policy_of_day(policies, local_day(second))


def exact(figure: Any) -> Fraction:
    """A figure as it is written in the policy: 0.7 is seven tenths, not the float next to it."""
    return Fraction(str(figure))


def of_type(policy: Policy, venue_type: str) -> dict[str, Any]:
    """The figures of a venue type; of `other` where the policy has none."""
    return policy["venue"].get(venue_type) or policy["venue"]["other"]
