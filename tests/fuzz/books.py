"""The books of a stream of records: each is accepted and counted, or has one reject, with a reason and without a
word of what was in it.

    books = Books(world, records, internal)      what the brute force says of them
    books.check(rejects, figures, leaks)         what the product said and counted
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.fuzz.grammar import CANARY
from tests.reference.answer import World
from tests.reference.counters import day_counters, days_with_scans, rejected
from tests.reference.fields import NotJson, date_text, read_json
from tests.reference.records import InputRecord, place_of

SAID = ("index", "offset", "partition", "payload", "payload_bytes", "reason", "rejected_at", "topic", "truncated")


def policy_rejects(records: Iterable[InputRecord]) -> dict[str, str]:
    """The reference knows no policies but its own; all that are sent here are bad."""
    found = {}
    for record in records:
        if record.topic == "policies" and record.value:
            try:
                read_json(record.value)
                reason = "schema"
            except NotJson:
                reason = "not_json"
            found[f"policies/{record.partition}/{record.offset}/"] = reason
    return found


class Books:
    """`wanted`: place → reason of everything that must be refused."""

    def __init__(self, world: World, records: Sequence[InputRecord], internal: Mapping[str, str]) -> None:
        self.world, self._records = world, records
        self.wanted = {**world.rejects, **policy_rejects(records), **internal}

    def scans(self) -> int:
        """How many must be accepted or refused; a record that is refused whole is one."""
        count = 0
        for record in self._records:
            if record.topic == "scans":
                whole = place_of(record, None) in self.wanted
                content = None if whole else read_json(record.value)
                count += len(content) if isinstance(content, list) else 1
        return count

    def check_rejects(self, rejects: Sequence[Any], *, once: bool = True) -> Counter[str]:
        """`rejects`: records of that topic; `once`: nothing came twice, so nothing is refused twice. By topic and
        reason, how many."""
        said: dict[str, dict[str, Any]] = {}
        for record in rejects:
            key, content = (record.key or b"").decode(), json.loads(record.value or b"{}")
            assert not once or key not in said, f"{key} is refused twice"
            said[key] = content
            check_plain_part(key, content)
        wrong = [
            f"{key}: {said[key]['reason'] if key in said else None}, must be {self.wanted.get(key)}"
            for key in said.keys() | self.wanted.keys()
            if key not in said or said[key]["reason"] != self.wanted.get(key)
        ]
        assert not wrong, f"{len(wrong)} of {len(said)} differ: {sorted(wrong)[:20]}"
        return Counter(f"{content['topic']}/{content['reason']}" for content in said.values())

    def check_figures(self, figures: Mapping[str, Mapping[str, Any]]) -> int:
        """`tv:pub:day` of days with a scan, `tv:pub:rejects`: to the last scan and reject. The scans that count."""
        wanted: dict[str, dict[str, int]] = {}
        for day in days_with_scans(self.world):
            wanted[f"tv:pub:day:{date_text(day)}"] = day_counters(self.world, day)
        counted = {**self.world.rejects}
        self.world.rejects = self.wanted
        for day, reasons in rejected(self.world, self._records).items():
            wanted[f"tv:pub:rejects:{date_text(day)}"] = dict(reasons)
        self.world.rejects = counted
        for name, mine in wanted.items():
            there, must = figures.get(name, {}), {field: n for field, n in mine.items() if n}
            fields = there.keys() | must.keys()
            off = {f: (there.get(f), must.get(f)) for f in fields if there.get(f) != must.get(f)}
            assert not off, f"{name}, (is, must be): {off}"
        extra = {n for n in figures if n.startswith("tv:pub:rejects:")} - wanted.keys()
        assert not extra, f"figures of nothing: {extra}"
        return len(self.world.scans)


def check_plain_part(key: str, content: Mapping[str, Any]) -> None:
    """What anybody reads of a reject: its place, and a detail that quotes nothing."""
    detail = content.get("detail", "")
    assert content["reason"] and detail, f"{key} says nothing: {content}"
    assert not (content.keys() - {*SAID, "detail"}), f"{key}: a field that nobody looks into: {content.keys()}"
    plain = json.dumps({name: value for name, value in content.items() if name != "payload"}, ensure_ascii=False)
    assert not CANARY.search(plain), f"a code in the plain part of {key}"
    assert detail.isascii() and len(detail) < 200, f"{key}: a detail that was not ours"
