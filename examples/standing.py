"""What stands, from records of the topic `exposures` in any order and any number of times.

As a program: reads what `kcat -J` prints, a record a line, and prints each change as a line of JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any


class Standing:
    """`take` every record; `records` are the exposures that stand."""

    def __init__(self) -> None:
        self.latest: dict[str, dict[str, Any]] = {}

    def take(self, key: str, value: str | bytes | None) -> dict[str, Any] | None:
        """The exposure, when the record is news; None when it is old."""
        if value is None:
            # It grew too old to be kept. Should the id ever live again, its revision is higher than all before.
            gone = self.latest.pop(key, None)
            return None if gone is None else {"exposure_id": key, "status": "ended"}
        record: dict[str, Any] = json.loads(value)
        known = self.latest.get(record["exposure_id"])
        if known is not None and known["revision"] >= record["revision"]:
            return None
        self.latest[record["exposure_id"]] = record
        return record

    def records(self) -> list[dict[str, Any]]:
        return [record for record in self.latest.values() if record["status"] != "withdrawn"]


def main() -> None:
    standing = Standing()
    for line in sys.stdin:
        record = json.loads(line)
        news = standing.take(record["key"], record["payload"])
        if news is not None:
            print(json.dumps(news, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
