"""What several measurements share: where one was made, its worker, its cases, writing results down."""

from __future__ import annotations

import asyncio
import math
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from console.bench.contenders import Child, environment_of, of_ours
from console.bench.town import DAY, DAYS, LOCAL, Town, time_text
from console.joining import members
from console.trouble import Trouble
from streams.runtime.settings import Settings

JOINING = 60.0  # seconds
_PACKAGES = ("aiokafka", "faust-streaming", "hiredis", "msgspec", "numpy", "redis")


def machine() -> dict[str, Any]:
    """Cores, versions, and how busy it was with other things."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "load": os.getloadavg()[1],
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def write_out(result: msgspec.Struct, out: Path | None) -> None:
    """As JSON, where a file was asked for."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")


def quantile(values: Sequence[float], share: float) -> float:
    """The least of them that so many are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def worker_of(settings: Settings, log: Path, **more: str) -> Child:
    """`truyvet worker` on a system of the benchmark's own; `more` goes into its environment."""
    return Child(of_ours("console.main", "worker"), {**environment_of(settings), **more}, log)


async def joined(settings: Settings, count: int) -> None:
    """Return when so many workers have shared the partitions out. Raises Trouble."""
    deadline = time.monotonic() + JOINING
    while True:
        stable, there = await members(settings)
        if stable and len(there) >= count:
            return
        if time.monotonic() > deadline:
            raise Trouble(f"{count} workers did not share the partitions within {JOINING:.0f} s")
        await asyncio.sleep(0.2)


def dates_of(town: Town) -> tuple[int, int]:
    """When every case of the town was sampled, and its onset (seconds UTC)."""
    onset = (town.first_day + 2) * DAY - LOCAL
    return onset + DAY, onset


def report_of(town: Town, case_id: str, person: int, status: str) -> bytes:
    """A record for `cases`: somebody of the town, infectious from its first day on."""
    sampled, onset = dates_of(town)
    return msgspec.json.encode(
        {
            "case_id": case_id,
            "person": town.code(person).decode(),
            "status": status,
            "sampled_at": time_text(sampled).decode(),
            "onset_at": time_text(onset).decode(),
            "reported_at": time_text((town.first_day + DAYS) * DAY - LOCAL).decode(),
            "reported_by": "bench",
            "updated_at": time.time_ns() // 1_000_000,
        }
    )
