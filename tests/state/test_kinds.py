"""What can stand in a ledger, as a record: numbers written in the blanks of the plain text, or all encoded anew."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.catalogue import MESSAGES
from schemas.example_files import good
from streams.steps.kinds import KINDS, PRESENCE, digest, plain

TYPES = {kind.type: kind for key, kind in KINDS.items() if key != PRESENCE}
EXAMPLES = [
    pytest.param(m.shape, path.read_bytes(), id=f"{m.name}/{path.stem}")
    for m in MESSAGES
    if m.shape in TYPES
    for path in good(m.name)
]


def test_every_kind_has_examples() -> None:
    assert {example.values[0] for example in EXAMPLES} == TYPES.keys()


@pytest.mark.parametrize(("type_", "value"), EXAMPLES)
def test_numbers_in_the_blanks_make_the_record(type_: Any, value: bytes) -> None:
    kind, content = TYPES[type_], msgspec.json.decode(value, type=type_)
    blank = msgspec.structs.replace(content, **kind.path)
    at = ("updated", "2026-11-27T03:05:30Z")
    whole = kind.encode(blank, 4_000_000_001, *at)
    assert kind.encode(blank, 4_000_000_001, *at, plain(blank)) == whole
    # And so from what has numbers already: they are not in the plain text.
    assert kind.encode(content, 7, *at, plain(content)) == kind.encode(content, 7, *at)
    assert digest(content) == digest(blank) == digest(kind.decode(whole))


def test_a_text_that_looks_like_blanks_stays() -> None:
    """`case_id` is an outsider's text."""
    exposures = [example.values for example in EXAMPLES if example.values[0].__name__ == "Exposure"]
    type_, value = exposures[0]
    for odd in ('"revision":0,"status":"",', ',"issued_at":""}', '\\","revision":0,'):
        content = msgspec.structs.replace(msgspec.json.decode(value, type=type_), case_id=odd)
        at = (3, "raised", "2026-11-27T03:05:30Z")
        assert TYPES[type_].encode(content, *at, plain(content)) == TYPES[type_].encode(content, *at)
