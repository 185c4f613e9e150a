"""The published schemas are up to date, valid, and say what the decoders do."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.asyncapi import document
from schemas.catalogue import BY_NAME, MESSAGES, MessageType
from schemas.example_files import Bad, good
from schemas.publish import PUBLISHED, differences, main
from tests.schemas.hostile import plain, scalars
from tests.schemas.test_examples import BAD, GOOD, INCOMING, SENT, decoded

OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.schema.json"


def _pattern(_: Any, pattern: str, text: Any, __: Any) -> Any:
    # ECMA 262, as JSON Schema has it: $ is the end, where Python's also stands before a last line break.
    if isinstance(text, str) and re.search(re.sub(r"\$$", r"\\Z", pattern), text) is None:
        yield jsonschema.ValidationError("does not match")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _pattern})


@cache
def validator(name: str) -> Any:
    return Validator(json.loads((PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8")))


def test_published_is_up_to_date() -> None:
    assert differences() == []
    assert main(["--check"]) == 0
    assert main(["--chekc"]) == 2


def test_check_sees_what_is_old_missing_or_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.publish.PUBLISHED", tmp_path / "published")
    monkeypatch.setattr("schemas.publish.PINS", tmp_path / "digests.txt")
    assert len(differences()) == len(MESSAGES) + 2
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "published" / "scan.schema.json").write_text("{}")
    (tmp_path / "published" / "gone.schema.json").write_text("{}")
    assert len(differences()) == 2
    assert main(["--check"]) == 1


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.name)
def test_a_schema_is_one_of_its_dialect(message: MessageType) -> None:
    schema = validator(message.name).schema
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "Wire" not in text
    references = re.findall(r'"\$ref": "#/\$defs/(\w+)"', text)
    assert set(references) == set(schema["$defs"])


def test_asyncapi_is_valid() -> None:
    official = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    found = json.loads((PUBLISHED / "asyncapi.json").read_text(encoding="utf-8"))
    errors = [e.json_path for e in jsonschema.Draft7Validator(official).iter_errors(found)]
    assert errors == []
    assert list(jsonschema.Draft7Validator(official).iter_errors({**found, "asyncapi": "2.0.0"}))


def test_asyncapi_names_every_message_and_every_reference_leads_somewhere() -> None:
    found = document()
    assert set(found["components"]["messages"]) == set(BY_NAME)
    assert set(found["channels"]) == {m.topic for m in MESSAGES}
    receives = {
        o["channel"]["$ref"].rpartition("/")[2] for o in found["operations"].values() if o["action"] == "receive"
    }
    assert receives == {m.topic for m in INCOMING}
    for reference in re.findall(r'"\$ref": "#/([^"]*)"', json.dumps(found)):
        at: Any = found
        for step in reference.split("/"):
            at = at[step]
        assert at
    # Kafka has no keys for scans but the gateway's: a code must never be one (messages.md, Topics).
    assert "never" in found["components"]["messages"]["scan"]["bindings"]["kafka"]["key"]["description"]


@pytest.mark.parametrize(("message", "path"), [*GOOD, *SENT])
def test_good_examples_are_valid(message: MessageType, path: Path) -> None:
    assert [e.json_path for e in validator(message.name).iter_errors(plain(path.read_bytes()))] == []


@pytest.mark.parametrize(("message", "example"), BAD)
def test_bad_examples_are_invalid_where_a_schema_can_say_it(message: MessageType, example: Bad) -> None:
    try:
        content = plain(example.value)
    except ValueError:
        assert not example.invalid
        return
    assert validator(message.name).is_valid(content) is not example.invalid


# -- the same, for messages that nobody thought of

CASES = {m.name: [plain(p.read_bytes()) for p in good(m.name)] for m in INCOMING}
dates = st.sampled_from(["2024-02-29", "2024-13-01", "2024-1-1", "0000-01-01", "2024-01-01 ", "2024-01-01T00:00:00Z"])
texts = st.text(st.sampled_from("a0é \t\n\u0085\u00a0\u2003\ufeff\x00\x7f\u0301|"), max_size=6)
times = st.sampled_from(
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00.5+07:00",
        "2024-01-01T00:00:00z",
        "2024-01-01T00:00:00",
        1640995200000,
    ]
)
values = st.one_of(scalars, dates, texts, times, st.just([]), st.just({}), st.just({"a": 1}))


@st.composite
def changed(draw: st.DrawFn) -> tuple[MessageType, Any]:
    """A good example with some of its fields changed or gone."""
    message = draw(st.sampled_from(INCOMING))
    content = draw(st.sampled_from(CASES[message.name]))
    if not isinstance(content, dict):
        return message, content
    names = sorted({name for other in CASES[message.name] if isinstance(other, dict) for name in other})
    content = dict(content)
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)):
        if draw(st.integers(0, 3)):
            content[name] = draw(values)
        else:
            content.pop(name, None)
    return message, content


def _beyond(content: Any) -> bool:
    """Whether it holds what JSON Schema takes otherwise than the decoder, and says so (jsonschemas.py)."""
    if isinstance(content, dict):
        return any(map(_beyond, content.values()))
    if isinstance(content, list):
        return any(map(_beyond, content))
    return isinstance(content, float) and (content != content or content in (float("inf"), -float("inf")))


UNSAID = re.compile(
    r"^: expected JSON|_at: expected|_on: expected|/(at|from|to|as_of|in_force_from|valid_\w+): expected"
)
"""Where only the decoder knows the calendar, or the order of two dates."""


@given(changed())
@settings(max_examples=1500, deadline=None)
def test_schema_and_decoder_agree(found: tuple[MessageType, Any]) -> None:
    message, content = found
    assume(not _beyond(content))
    _, problems = decoded(message, json.dumps(content).encode())
    valid = validator(message.name).is_valid(content)
    if not valid:
        # 1.0 is a whole number to JSON Schema, and stricter than the decoder it must never be.
        assert problems, "the schema refuses what the decoder takes"
    elif problems and not _whole_floats(content):
        assert all(UNSAID.search(p.detail) for p in problems), problems[0].detail


def _whole_floats(content: Any) -> bool:
    return isinstance(content, dict) and any(isinstance(v, float) and v.is_integer() for v in content.values())
