"""Policies as files, as the workers know them, and what differs between two."""

from __future__ import annotations

import datetime
import json
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.rules.policy import Policies, Policy, PolicyError, load_policies, make_policy
from streams.state.policies import PolicyTable

if TYPE_CHECKING:
    from streams.ports import Store
    from streams.runtime.settings import Settings


class PolicyFile(NamedTuple):
    """`message`: the same in JSON, as it goes to the topic `policies`."""

    policy: Policy
    message: bytes


def read_file(path: str) -> PolicyFile:
    """A policy in TOML. Raises PolicyError that names the file and the field."""
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path}: {error}") from None
    policy = make_policy(data, path, known_only=True)
    # TOML has dates of its own; JSON has them as text, in the same form.
    return PolicyFile(policy, json.dumps(data, ensure_ascii=False, default=datetime.date.isoformat).encode())


class Known(NamedTuple):
    """Those that decide, and the ids of those that came by the topic."""

    policies: Policies
    by_topic: frozenset[str]


async def known(settings: Settings, store: Store) -> Known:
    """What the workers go by: the files of the settings (or what is built in), and what they took in from the topic."""
    table = PolicyTable()
    await table.refresh(store)
    return Known(Policies([*load_policies(settings.policies), *table.rows.values()]), frozenset(table.rows))


def differences(one: Policy, other: Policy) -> list[tuple[str, Any, Any]]:
    """(figure, of the one, of the other) of all that differ; None where one has no such figure."""
    mine, theirs = figures(one), figures(other)
    names = [*mine, *(name for name in theirs if name not in mine)]
    return [(name, mine.get(name), theirs.get(name)) for name in names if mine.get(name) != theirs.get(name)]


def figures(policy: Policy) -> dict[str, Any]:
    """Every figure by name, in the units of `Policy`, decimals as they were typed."""
    found: dict[str, Any] = {}
    for name in Policy.__dataclass_fields__:
        value = getattr(policy, name)
        if name == "first_day":
            continue  # the same as in_force_from
        if name == "venue":
            for kind, figures_of in value.items():
                found |= {f"venue.{kind}.{field}": _plain(figure) for field, figure in figures_of._asdict().items()}
        elif name == "infectiousness":
            found |= {f"infectiousness.{day}": _plain(weight) for day, weight in sorted(value.items())}
        else:
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value
