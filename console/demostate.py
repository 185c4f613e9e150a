"""What a demo's data folder has been through, so that the next start goes on from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class DemoState:
    """A small JSON file in the data folder. Losing it costs a second streaming of the day, which changes nothing."""

    def __init__(self, data: Path) -> None:
        self._path = data / "demo.json"
        try:
            self._kept: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            self._kept = {}

    def held_after(self, province: str) -> int | None:
        """Records that `scans` held after this province was streamed in; None when it never was."""
        held = self._kept.get("streamed", {}).get(province)
        return held if isinstance(held, int) else None

    def streamed(self, province: str, held: int) -> None:
        self._kept.setdefault("streamed", {})[province] = held
        self._save()

    def scans(self, folder: Path) -> int:
        """Lines of the province's scans."""
        return (folder / "scans.ndjson").read_bytes().count(b"\n")

    def next_case(self, folder: Path) -> tuple[bytes, bool]:
        """The first case of the province that was not reported yet; when all were, the last one and True."""
        cases = (folder / "cases.ndjson").read_bytes().splitlines()
        done = set(self._kept.get("reported", []))
        for case in cases:
            if json.loads(case)["case_id"] not in done:
                return case, False
        return cases[-1], True

    def reported(self, case_id: str) -> None:
        kept = self._kept.setdefault("reported", [])
        if case_id not in kept:
            kept.append(case_id)
        self._save()

    def _save(self) -> None:
        unfinished = self._path.with_suffix(".part")
        unfinished.write_text(json.dumps(self._kept), "utf-8")
        unfinished.replace(self._path)
