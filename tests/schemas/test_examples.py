"""Every example through the real decoder, and none that was shipped is ever changed."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from schemas.catalogue import BY_NAME, MESSAGES, MessageType
from schemas.decoding import decode_scan_records, decode_scans
from schemas.encoding import encode
from schemas.example_files import FOLDER, Bad, bad, good, pinned, pins
from schemas.problem import Problem
from schemas.publish import PINS

INCOMING = [m for m in MESSAGES if m.direction == "in"]
OUTGOING = [m for m in MESSAGES if m.direction != "in"]
GOOD = [pytest.param(m, p, id=f"{m.name}/{p.stem}") for m in INCOMING for p in good(m.name)]
SENT = [pytest.param(m, p, id=f"{m.name}/{p.stem}") for m in OUTGOING for p in good(m.name)]
BAD = [pytest.param(m, b, id=f"{m.name}/{b.path.stem}") for m in INCOMING for b in bad(m.name)]


def decoded(message: MessageType, value: bytes) -> tuple[list[Any], list[Problem]]:
    """What a record gives: checked messages, and problems."""
    if message.name == "scan":
        scans, problems = decode_scans(value)
        return [scan for _, scan in scans], problems
    assert message.decode is not None
    found = message.decode(value, ())
    if isinstance(found, Problem):
        return [], [found]
    return [] if found is None else [found], []


@pytest.mark.parametrize(("message", "path"), GOOD)
def test_a_good_example_is_accepted(message: MessageType, path: Any) -> None:
    value = path.read_bytes()
    found, problems = decoded(message, value)
    assert problems == []
    assert found or json.loads(value) == []


@pytest.mark.parametrize(("message", "path"), GOOD)
def test_a_good_example_is_accepted_by_its_version_and_no_other(message: MessageType, path: Any) -> None:
    value = path.read_bytes()
    assert message.decode is not None
    for version in (b"%s/1", b"%s/1.7"):
        known = message.decode(value, [("ce_id", b"1"), ("tv-schema", version % message.name.encode())])
        assert not isinstance(known, Problem)
    for other in (message.name.encode() + b"/2", b"1", b"", b"unknown/1", message.name.encode() + b"/10"):
        unknown = message.decode(value, [("tv-schema", other)])
        assert isinstance(unknown, Problem)
        assert (unknown.reason, unknown.payload) == ("schema", value)


@pytest.mark.parametrize(("message", "example"), BAD)
def test_a_bad_example_is_refused_for_its_reason(message: MessageType, example: Bad) -> None:
    found, problems = decoded(message, example.value)
    assert [(p.reason, p.detail.partition(":")[0]) for p in problems] == example.problems
    assert all(": expected " in p.detail for p in problems)
    assert "secret" not in "".join(p.detail for p in problems)
    if message.name == "scan":
        columns, fast_problems = decode_scan_records([example.value], [()])
        assert [p for _, p in fast_problems] == problems
        assert len(columns.persons) == len(found)
    elif example.value == b"":
        assert not found


@pytest.mark.parametrize(("message", "path"), SENT)
def test_what_we_send_is_read_back_and_written_as_it_was(message: MessageType, path: Any) -> None:
    value = path.read_bytes()
    found = msgspec.json.decode(value, type=message.shape)
    again, before = json.loads(encode(found)), json.loads(value)
    assert {k: v for k, v in before.items() if k in message.shape.__struct_fields__ or k == "from"} == again


def test_every_message_has_several_examples_and_every_incoming_one_bad_ones() -> None:
    for message in MESSAGES:
        assert len(good(message.name)) >= 2, message.name
    for message in INCOMING:
        assert len(bad(message.name)) >= 8, message.name
    assert {p.name for p in FOLDER.iterdir() if p.is_dir()} == set(BY_NAME)


def test_every_example_is_as_it_was_shipped() -> None:
    known = pinned(PINS)
    for name, digest in known.items():
        path = FOLDER / name
        assert path.exists(), f"{name} was shipped: bring it back"
        assert sha256(path.read_bytes()).hexdigest() == digest, f"{name} was shipped: add another, don't change it"
    assert PINS.read_text(encoding="utf-8") == pins(known), "an example is new: run python -m schemas.publish"


def test_pins_of_known_examples_never_change() -> None:
    name = str(good("scan")[0].relative_to(FOLDER))
    assert pinned_text(pins({name: "0" * 64}))[name] == "0" * 64
    assert len(pinned_text(pins({}))) == sum(len(good(m.name)) for m in MESSAGES)


def pinned_text(text: str) -> dict[str, str]:
    return {name: digest for digest, name in (line.split("  ") for line in text.splitlines())}
