"""`truyvet people`, `decide`, `case`: what goes to Kafka, under which key, and that no code is shown. No Kafka runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.main import truyvet
from schemas.decision import CaseDecision, ExposureDecision, decode_decision
from schemas.person import Employ, Erase, Hold, Link, Test, Unhold, Unlink, Vaccination, decode_person

ONE, TWO = "079001990002", "079001990003"
EXPOSURE = "0123456789abcdef0123456789abcdef"
AT = "2026-01-05 08:30"
Sent = list[tuple[str, str, bytes]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """(topic, key, value) of everything that was published."""
    found: Sent = []

    async def send_keyed(_: object, topic: str, records: list[tuple[str, bytes]]) -> None:
        found.extend((topic, *record) for record in records)

    monkeypatch.setattr("console.publishing.send_keyed", send_keyed)
    return found


def run(*args: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(truyvet, list(args), input=text)
    assert ONE not in result.output and TWO not in result.output, "a code was shown"
    return result


def of(sent: Sent) -> tuple[str, str, Any]:
    """The one record: topic, key, value as it travels."""
    ((topic, key, value),) = sent
    assert ONE not in key and TWO not in key
    return topic, key, json.loads(value)


@pytest.mark.parametrize(
    ("args", "lines", "kind", "fields"),
    [
        (["link"], 2, Link, {"same_as": TWO}),
        (["unlink"], 1, Unlink, {}),
        (["erase", "--yes"], 1, Erase, {}),
        (["hold", "--ground", "court order 12"], 1, Hold, {"ground": "court order 12"}),
        (["unhold", "--ground", "court order 12"], 1, Unhold, {"ground": "court order 12"}),
        (["vaccination", "--doses", "2", "--last-dose", "2025-06-01"], 1, Vaccination, {"doses": 2}),
        (["vaccination", "--doses", "0"], 1, Vaccination, {"doses": 0, "last_dose_on": None}),
        (["test", "--sampled", AT, "--result", "negative", "--lab", "CDC"], 1, Test, {"result": "negative"}),
        (["employ", "--organisation", "o1", "--from", "2026-01-01"], 1, Employ, {"organisation": "o1", "to": None}),
    ],
)
def test_what_is_said_of_a_person_is_one_message_that_the_pipeline_takes(
    sent: Sent, args: list[str], lines: int, kind: type, fields: dict[str, Any]
) -> None:
    text = "\n".join((ONE, TWO)[:lines]) + "\n"
    result = run("people", *args, "--by", "An", "--at", AT, "--json", text=text)
    assert result.exit_code == 0, result.output
    topic, key, message = of(sent)
    said = decode_person(json.dumps(message).encode())
    assert topic == "people" and isinstance(said, kind) and said.code == ONE and said.by == "An"
    assert said.at == 1767576600  # 2026-01-05 01:30 UTC
    for name, value in fields.items():
        assert getattr(said, name) == value
    shown = json.loads(result.stdout)
    assert shown.pop("key") == key
    assert shown == {name: value for name, value in message.items() if name not in ("code", "same_as")}


def test_a_code_from_a_file_and_a_code_as_an_option(sent: Sent, tmp_path: Path) -> None:
    file = tmp_path / "codes"
    file.write_text(f"{ONE}\n\n{TWO}\n")
    assert run("people", "link", "--code-file", str(file)).exit_code == 0
    assert run("people", "link", "--code", ONE, "--same-as", TWO).exit_code == 0
    messages = [json.loads(value) for _, _, value in sent]
    assert [(m["code"], m["same_as"]) for m in messages] == [(ONE, TWO)] * 2
    assert len({key for _, key, _ in sent}) == 2


@pytest.mark.parametrize(
    ("args", "text", "words"),
    [
        (["link"], f"{ONE}\n", "there are 1 lines"),
        (["link", "--code", ONE], "", "either all as options"),
        (["unlink"], f"{ONE}\n{TWO}\n", "there are 2 lines"),
        (["unlink"], "", "code of the person"),
        (["unlink", "--code", ONE, "--code-file", "x"], "", "either"),
        (["erase"], f"{ONE}\n", "--yes"),
        (["hold"], f"{ONE}\n", "--ground"),
        (["vaccination", "--doses", "2"], f"{ONE}\n", "last_dose_on"),
        (["vaccination", "--doses", "2", "--last-dose", "lately"], f"{ONE}\n", "YYYY-MM-DD"),
        (["employ", "--organisation", "o1", "--from", "2026-01-02", "--to", "2026-01-01"], f"{ONE}\n", "/to"),
        (["test", "--sampled", AT, "--result", "x" * 65], f"{ONE}\n", "/result"),
        (["unlink", "--by", ""], "\x01\n", "/code"),
    ],
)
def test_what_would_be_rejected_is_not_sent(sent: Sent, args: list[str], text: str, words: str) -> None:
    from console.trouble import WrongUse

    result = run("people", *args, text=text)
    assert result.exit_code == 2 or isinstance(result.exception, WrongUse), result.output
    assert words in (result.stderr + str(result.exception)) and sent == []


@pytest.mark.parametrize(
    "args",
    [
        ["people", ONE],
        ["people", "unlink", ONE],
        ["people", "erase", "--yes", "--by", "An", ONE],
        ["people", "link", ONE, TWO],
        ["case", ONE],
        ["case", "report", ONE, "--sampled", AT],
        ["case", "withdraw", "C-1", ONE],
    ],
)
def test_a_code_given_as_an_argument_is_not_repeated(sent: Sent, args: list[str]) -> None:
    result = run(*args)  # `run` looks for the code in what is shown
    assert result.exit_code == 2 and sent == []
    assert "argument too many" in result.stderr or "none of its commands" in result.stderr


@pytest.mark.parametrize("word", ["release", "refuse"])
def test_a_decision_about_a_case(sent: Sent, word: str) -> None:
    result = run("decide", word, "C-1", "--by", "An", "--note", "seen", "--at", AT)
    assert result.exit_code == 0 and "C-1" in result.stdout
    topic, key, message = of(sent)
    assert (topic, key) == ("decisions", "C-1")
    decided = decode_decision(json.dumps(message).encode())
    assert decided == CaseDecision("C-1", word, 1767576600, "An", 1767576600000, "seen")  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["confirm", "dismiss"])
def test_a_decision_about_an_exposure(sent: Sent, word: str) -> None:
    assert run("decide", word, EXPOSURE, "--by", "An", "--at", AT, "--json").exit_code == 0
    topic, key, message = of(sent)
    assert (topic, key) == ("decisions", EXPOSURE)
    decided = decode_decision(json.dumps(message).encode())
    assert decided == ExposureDecision(EXPOSURE, word, 1767576600, "An", 1767576600000)  # type: ignore[arg-type]


def test_an_exposure_id_that_is_none_is_not_sent(sent: Sent) -> None:
    from console.trouble import WrongUse

    result = run("decide", "confirm", "C-1")
    assert isinstance(result.exception, WrongUse) or result.exit_code == 2
    assert "/exposure_id" in result.stderr + str(result.exception) and sent == []


def test_a_case_is_reported_with_the_code_from_standard_input(sent: Sent) -> None:
    result = run("case", "report", "--sampled", AT, "--by", "An", "--json", text=f"{ONE}\n")
    assert result.exit_code == 0, result.output
    topic, key, message = of(sent)
    assert topic == "cases" and message["person"] == ONE and message["case_id"] == key
