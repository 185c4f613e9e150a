"""Where something was measured, and writing results down."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

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
