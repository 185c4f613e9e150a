"""docs/privacy.md says of every topic and every kind of Redis key what it holds of a person's code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.runtime.topics import TOPICS
from tests.house.privacy import kind_of_key, table

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for folder in ("streams", "agents", "console") for p in (ROOT / folder).rglob("*.*")]
DAY_MS = 86_400_000


def test_every_topic_has_its_row_and_every_row_its_topic() -> None:
    rows = {place.removeprefix("topic ") for place in table() if place.startswith("topic ")}
    assert rows == {topic.name for topic in TOPICS}


def test_only_inputs_hold_a_code_as_it_was_read() -> None:
    plain = {place for place, form in table().items() if form == "plain"}
    assert plain == {"topic scans", "topic cases", "topic people", "disk spool of truyvet gateway"}


def test_every_kind_of_key_in_the_code_has_its_row_and_every_row_its_key() -> None:
    text = "\n".join(p.read_text() for p in SOURCES if p.suffix in (".py", ".lua"))
    used = {kind_of_key(key.encode()) for key in re.findall(r"tv:[a-z]+", text)}
    used |= {f"redis tv:{{{name}}}" for name in re.findall(r'super\(\).__init__\(\s*"([a-z]+)"', text)}
    rows = {place for place in table() if place.startswith("redis ")}
    assert rows == used


@pytest.mark.parametrize("topic", [t for t in TOPICS if t.retention_ms > 0 and t.delete], ids=lambda t: t.name)
def test_what_the_page_says_of_age_is_what_the_topics_are_made_with(topic: object) -> None:
    from tests.house.privacy import PAGE

    name, days = topic.name, topic.retention_ms // DAY_MS  # type: ignore[attr-defined]
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| topic `{name}` |"))
    words = f"{days // 365} years" if days % 365 == 0 else f"{days} days"
    assert f"after {words}" in row.split("|")[5]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (b"tv:p:{1f}:4b91:a3", "redis tv:p"),
        (b"tv:{cases}:rows", "redis tv:{cases}"),
        (b"tv:gen", "redis tv:gen"),
        (b"other", "redis ?"),
    ],
)
def test_keys_are_told_apart(key: bytes, kind: str) -> None:
    assert kind_of_key(key) == kind
