"""The project's code against the golden vectors, which were worked out without it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.decoding import decode_scan_records, decode_scans
from schemas.times import format_time, parse_date, parse_time
from streams.rules.codes import EmptyCode, Pseudonymiser, alert_id, canonical, exposure_id, pseudonym_text
from tests.schemas.vectors import FOLDER, texts

SCAN = {"scan_id": "s", "venue_id": "v", "person": "made-up", "gateway_id": "g"}


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_files_hold_what_the_script_gives() -> None:
    assert {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")} == texts()


@pytest.mark.parametrize("vector", load("persons.json")["canonical"], ids=lambda v: ascii(v["code"]))
def test_what_a_code_stands_for(vector: dict[str, str]) -> None:
    assert canonical(vector["code"]) == vector["canonical"]


def test_no_code_is_refused_before_the_rules_see_it_and_by_them() -> None:
    for code in load("persons.json")["refused"]:
        with pytest.raises(EmptyCode):
            canonical(code)
        scan = {**SCAN, "person": code, "scanned_at": 1640852100000}
        assert [p.detail.partition(":")[0] for p in decode_scans(json.dumps(scan).encode())[1]] == ["/person"]


def test_pseudonyms() -> None:
    vectors = load("pseudonyms.json")["pseudonyms"]
    for key in {v["key"] for v in vectors}:
        mine = [v for v in vectors if v["key"] == key]
        pseudonymiser = Pseudonymiser(key.encode())
        expected = [v["pseudonym"] for v in mine]
        assert [pseudonym_text(pseudonymiser.digest(v["code"])) for v in mine] == expected
        assert list(map(pseudonym_text, pseudonymiser.digests([v["code"] for v in mine]))) == expected


def test_ids_of_exposures_and_alerts() -> None:
    for v in load("exposure_ids.json")["ids"]:
        assert exposure_id(v["case_id"], v["person"]) == v["exposure_id"]
    for v in load("alert_ids.json")["ids"]:
        assert alert_id(v["case_id"], v["venue_id"], v["start"]) == v["alert_id"]


def test_times() -> None:
    for v in load("times.json")["times"]:
        assert parse_time(v["in"]) == v["ms"]
        assert format_time(v["ms"] // 1000) == v["out"]


def test_times_of_scans_by_both_ways() -> None:
    content = load("times.json")
    good = [(v["in"], v["ms"] // 1000) for v in content["times"]]
    for time, second in good:
        value = json.dumps({**SCAN, "scanned_at": time}).encode()
        assert [scan.scanned_at for _, scan in decode_scans(value)[0]] == [second]
        assert decode_scan_records([value] * 3, [()] * 3)[0].seconds.tolist() == [second] * 3
    for time in content["refused"]:
        value = json.dumps({**SCAN, "scanned_at": time}).encode()
        assert [p.detail.partition(":")[0] for p in decode_scans(value)[1]] == ["/scanned_at"], time
        assert len(decode_scan_records([value] * 3, [()] * 3)[1]) == 3


def test_dates() -> None:
    content = load("dates.json")
    assert [parse_date(text).isoformat() for text in content["dates"]] == content["dates"]
    for text in content["refused"]:
        with pytest.raises(ValueError, match=r"YYYY-MM-DD|no such date"):
            parse_date(text)
