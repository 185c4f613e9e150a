"""`truyvet rejects redrive`: of every input topic what passes now goes out again, under its own key. No Kafka runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from console import redriving
from console.rejected import Rejected
from streams.runtime.settings import Settings
from streams.runtime.topics import INPUTS

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
CODE = "079001990002"
FOLDERS = {
    "venues": "venue",
    "organisations": "organisation",
    "gateways": "gateway",
    "coverage": "coverage",
    "policies": "policy",
    "cases": "case",
    "people": "person",
    "decisions": "decision",
}


def reject(topic: str, payload: bytes | None, reason: str = "schema") -> Rejected:
    return Rejected(reason, "/x", topic, 0, 0, None, "2026-01-05T00:00:00Z", payload, len(payload or b""), False)


def redrive(monkeypatch: pytest.MonkeyPatch, *rejects: Rejected) -> tuple[dict[str, int], dict[str, Any]]:
    sent: dict[str, Any] = {}

    async def send_keyed(_: object, topic: str, records: Any) -> None:
        sent[topic] = records

    monkeypatch.setattr(redriving, "send_keyed", send_keyed)
    settings = Settings.load({"TRUYVET_KAFKA": "127.0.0.1:9"})
    return dict(asyncio.run(redriving.redrive(settings, list(rejects), dry=False))), sent


@pytest.mark.parametrize("topic", FOLDERS)
def test_what_passes_now_goes_out_under_its_own_key(monkeypatch: pytest.MonkeyPatch, topic: str) -> None:
    for file in sorted((EXAMPLES / FOLDERS[topic]).glob("*.json")):
        payload = file.read_bytes()
        fields = json.loads(payload)
        outcome, sent = redrive(monkeypatch, reject(topic, payload))
        assert outcome == {"published": 1}, file
        ((key, value),) = sent[topic]
        assert value == payload
        if topic == "people":
            assert key and fields["code"] not in key
        else:
            own = {"venues": "venue_id", "organisations": "organisation", "gateways": "gateway_id", "coverage": "area"}
            names = (own.get(topic, "id"), "case_id", "exposure_id")
            assert key == next(fields[name] for name in names if name in fields), file


@pytest.mark.parametrize("topic", FOLDERS)
def test_what_is_still_bad_stays(monkeypatch: pytest.MonkeyPatch, topic: str) -> None:
    files = sorted((EXAMPLES / FOLDERS[topic] / "bad").glob("*.json"))
    outcome, sent = redrive(monkeypatch, *(reject(topic, file.read_bytes()) for file in files))
    assert outcome == {"still bad": len(files)} and files and sent == {}


def test_no_input_topic_is_forgotten() -> None:
    assert {*FOLDERS, "scans"} >= set(INPUTS)


def test_a_policy_that_conflicted_or_has_an_impossible_figure_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    good = (EXAMPLES / "policy" / "strict.json").read_bytes()
    wrong = json.loads(good)
    wrong["contact"]["min_minutes"] = 0
    rejects = reject("policies", good, "policy_conflict"), reject("policies", json.dumps(wrong).encode())
    assert redrive(monkeypatch, *rejects) == ({"still bad": 2}, {})


def test_a_topic_that_is_none_of_the_inputs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert redrive(monkeypatch, reject("exposures", b"{}")) == ({"still bad": 1}, {})
