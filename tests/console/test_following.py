"""Following `exposures`: only the revision decides what stands."""

from __future__ import annotations

import itertools
import json

from console.following import Standing


def record(name: str, revision: int, status: str = "raised") -> bytes:
    return json.dumps({"exposure_id": name, "case_id": "c", "revision": revision, "status": status}).encode()


def test_any_order_and_repetition_end_alike() -> None:
    messages = [
        record("a", 1),
        record("a", 2, "updated"),
        record("a", 5, "withdrawn"),
        record("b", 3),
        record("b", 4, "updated"),
    ]
    for order in itertools.permutations([*messages, messages[1]]):
        standing = Standing()
        for value in order:
            standing.take(b"?", value)
        assert [(r["exposure_id"], r["revision"]) for r in standing.records()] == [("b", 4)]


def test_only_news_is_reported() -> None:
    standing = Standing()
    assert standing.take(b"a", record("a", 2)) is not None
    assert standing.take(b"a", record("a", 2)) is None
    assert standing.take(b"a", record("a", 1)) is None
    assert standing.take(b"a", record("a", 7, "withdrawn")) is not None
    assert standing.records() == []
    assert standing.take(b"a", record("a", 8)) is not None, "it can be raised again"
    assert len(standing.records()) == 1


def test_a_tombstone_ends_it() -> None:
    standing = Standing()
    standing.take(b"a", record("a", 2))
    assert standing.take(b"a", None) is None
    assert standing.records() == []
