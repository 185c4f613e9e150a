"""What the desk knows of all cases at once: the newest revision of each status, alert and cluster, in memory.

Small by nature (a case has one status and a few dozen alerts), so it is kept whole; exposures are not: they are read
from the ledger, case by case.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from streams.rules.auditchain import read_line

Record = dict[str, Any]
STATES = ("open", "held", "refused", "withdrawn", "closed")
TOPICS = {"case-status": "case_id", "venue-alerts": "alert_id", "clusters": "cluster_id"}
"""Topics that are kept, and their key."""
EXPOSURES, AUDIT = "exposures", "audit"
LINES = 1000
"""The newest lines of the audit log that are kept."""


class Board:
    """Takes records in any order and any number of times: the highest revision of a key wins (messages.md)."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, Record]] = {topic: {} for topic in TOPICS}
        self._alerts_of: dict[str, set[str]] = {}
        self._partition: dict[str, int] = {}
        self._touched: dict[str, float] = {}
        self.audit: deque[Any] = deque(maxlen=LINES)
        self.version = self.audit_version = 0
        self._sorted: tuple[int, list[Record]] = (-1, [])
        self.caught_up = False

    def take(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> None:
        if topic == EXPOSURES:
            # Only that something of its case changed: the record itself is in the ledger.
            if value is not None:
                self._touched[orjson.loads(value)["case_id"]] = time.monotonic()
                self.version += 1
            return
        if topic == AUDIT:
            if value is not None and (line := read_line(value)) is not None:
                self.audit.appendleft(line)
                self.audit_version += 1
            return
        kept, field = self._kept[topic], TOPICS[topic]
        if value is None:
            if key is not None and (gone := kept.pop(key.decode(), None)) is not None:
                self._changed(topic, gone)
            return
        record: Record = orjson.loads(value)
        had = kept.get(record[field])
        if had is not None and had["revision"] >= record["revision"]:
            return
        kept[record[field]] = record
        if topic == "case-status":
            self._partition[record["case_id"]] = partition
        elif topic == "venue-alerts":
            self._alerts_of.setdefault(record["case_id"], set()).add(record["alert_id"])
        self._changed(topic, record)

    def _changed(self, topic: str, record: Record) -> None:
        self.version += 1
        if topic != "clusters":
            self._touched[record["case_id"]] = time.monotonic()

    # -- asking

    def case(self, case_id: str) -> Record | None:
        return self._kept["case-status"].get(case_id)

    def partition(self, case_id: str) -> int | None:
        """Where the case's ledger is: the partition of its status is that of its case (messages.md)."""
        return self._partition.get(case_id)

    def touched_at(self, case_id: str) -> float:
        """When (`time.monotonic`) something of the case was seen last."""
        return self._touched.get(case_id, float("-inf"))

    def cases(self, wanted: Callable[[Record], bool] = lambda status: True) -> list[Record]:
        return [status for status in self._kept["case-status"].values() if wanted(status)]

    def counts(self) -> dict[str, int]:
        """How many cases are in each state."""
        found = Counter(status["state"] for status in self.cases())
        return {state: found[state] for state in STATES}

    def alerts(self, case_id: str | None = None) -> list[Record]:
        """Those that stand, the newest visit first."""
        all_of_them = self._kept["venue-alerts"]
        if case_id is not None:
            ids = self._alerts_of.get(case_id, ())
            return _newest_first(all_of_them[id_] for id_ in ids if id_ in all_of_them)
        if self._sorted[0] != self.version:  # tens of thousands, which each window looks at each second
            self._sorted = (self.version, _newest_first(all_of_them.values()))
        return list(self._sorted[1])

    def clusters(self) -> list[Record]:
        """Those that stand, the newest first."""
        found = (c for c in self._kept["clusters"].values() if c["status"] != "withdrawn")
        return sorted(found, key=lambda c: (c.get("to", ""), c["cluster_id"]))[::-1]


def _newest_first(alerts: Iterable[Record]) -> list[Record]:
    stand = [alert for alert in alerts if alert["status"] != "withdrawn"]
    return sorted(stand, key=lambda alert: (alert["start"], alert["alert_id"]), reverse=True)
