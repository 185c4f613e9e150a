"""Policies of a world: minutes instead of hours, thresholds that a few scans reach."""

from __future__ import annotations

from random import Random
from typing import Any

from streams.rules.policy import Policy, make_policy
from tests.reference.fields import date_text
from tests.reference.messages import VENUE_TYPES


def some_policies(rng: Random, day: int) -> list[dict[str, Any]]:
    """One to three, from days around `day` (a local one); sometimes two from the same day."""
    count = rng.choice((1, 1, 2, 3))
    return [_policy(rng, f"p{n}", day + rng.choice((-3, 0, 1, 2))) for n in range(count)]


def _policy(rng: Random, name: str, day: int) -> dict[str, Any]:
    return {
        "id": name,
        "in_force_from": date_text(day),
        "source": "drawn",
        "scan": {
            "clock_tolerance": rng.choice((0, 300)),
            "retention_days": rng.choice((21, 4, 0)),
            "conflict_seconds": rng.choice((60, 60, 30, 0)),
            "shared_code_limit": rng.choice((60, 60, 60, 14, 9, 4)),
        },
        "case": {"before_days": rng.choice((0, 1, 2, 2)), "after_days": rng.choice((0, 1, 10, 10))},
        "contact": {
            "min_minutes": rng.choice((1, 1, 2)),
            "within_hours": rng.choice((1, 24)),
            "latency_hours": rng.choice((0, 1)),
            "crowd_limit": rng.choice((500, 1)),
            "approval_above": 1000,
            "publish_f2": False,
        },
        "staff": {"dwell": rng.choice((2, 8, 15)), "max_stay": rng.choice((4, 20))},
        "cluster": {"cases": 2, "days": 7},
        "venue": {kind: _figures(rng) for kind in VENUE_TYPES},
        "infectiousness": {"-1": 0.7, "0": 1.0, "1": 0.35, "default": rng.choice((0.2, 0.0))},
        "bands": {"high": rng.choice((4.0, 2.5)), "medium": rng.choice((1.0, 0.05))},
        "advice": {"follow_up": 14, "follow_up_vaccinated": 7, "test_on": 5},
    }


def _figures(rng: Random) -> dict[str, Any]:
    return {
        "dwell": rng.choice((1, 3, 5, 10)),
        "max_stay": rng.choice((1, 5, 15, 30)),
        "linger": rng.choice((0, 0, 1, 3)),
        "setting": rng.choice((1.0, 0.5, 1.2, 0.07)),
    }


def parsed(figures: dict[str, Any]) -> Policy:
    """The same as the steps know it."""
    return make_policy(figures, figures["id"], known_only=True)
