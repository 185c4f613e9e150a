"""The table of docs/privacy.md, read: place → what form a person's code has there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
COLUMNS = ["place", "code", "what it holds", "who reads it", "gone"]
FORMS = {"plain", "sealed", "pseudonym", "none"}


def table() -> dict[str, str]:
    """`topic scans` → `plain`, `redis tv:p` → `pseudonym`, …"""
    lines = PAGE.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if _cells(line) == COLUMNS)
    found: dict[str, str] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        place, form, *rest = _cells(line)
        assert form in FORMS and len(rest) == 3 and all(rest), f"row of {place}"
        assert place not in found, f"{place} is there twice"
        found[place.replace("`", "")] = form
    return found


def kind_of_key(key: bytes) -> str:
    """Redis key → place in the table: `tv:p:{1f}:4b91:a3` → `redis tv:p`, `tv:{cases}:log` → `redis tv:{cases}`."""
    found = re.match(rb"tv:(\{[a-z]+\}|[a-z]+)", key)
    return f"redis {found[0].decode()}" if found else "redis ?"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
