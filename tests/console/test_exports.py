"""`truyvet export`: the columns that Go.Data and SORMAS ask for, no cell that a spreadsheet runs, no file unaudited."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from console import auditing, ledger
from console.exports import godata, sormas
from console.exports.sheets import Sheet, safe, write_csv, write_xlsx
from console.main import truyvet
from streams.ports import Out
from streams.rules.auditchain import read_line

P1, P2, P3 = ("p1" + letter * 26 for letter in "abc")
WHO = ("--by", "An", "--reason", "hand-over")


def exposure(case_id: str, person: str, score: float | None, **more: Any) -> dict[str, Any]:
    return {
        "exposure_id": case_id + person[-3:],
        "revision": 1,
        "status": "raised",
        "case_id": case_id,
        "person": person,
        "level": "F1",
        "minutes": 40,
        "direct_minutes": 30,
        "indirect_minutes": 10,
        "first_at": "2026-01-05T16:30:00Z",
        "last_at": "2026-01-05T17:10:00Z",
        "episodes": [{"venue_id": "=cmd|' /C calc'!A0", "inferred": False}, {"venue_id": "v2", "inferred": True}],
        "score": score,
        "band": "high",
        "advice": {"follow_up_until": "2026-01-20", "test_on": "2026-01-10", "reason": "x"},
        "certainty": "co-presence",
        "issued_at": "2026-01-06T01:00:00Z",
        **more,
    }


FOUND = [
    exposure("C1", P1, 80.0),
    exposure("C1", P2, 20.0, band="low", direct_minutes=0, certainty="dismissed"),
    exposure("C2", P1, 90.0, certainty="confirmed"),
    exposure("C2", P3, None, level="F2", via=[P1], band=None, advice=None),
]


class Log:
    """Takes audit lines, or refuses to."""

    def __init__(self) -> None:
        self.sent: list[Out] = []
        self.down = False

    async def send(self, records: list[Out]) -> None:
        if self.down:
            raise TimeoutError
        self.sent += records


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Log:
    made = Log()

    @asynccontextmanager
    async def open_log(_: object) -> AsyncIterator[Log]:
        yield made

    async def standing(_: object, topic: str, of: str | None = None) -> list[dict[str, Any]]:
        assert topic == "exposures"
        return [record for record in FOUND if of in (None, record["case_id"])]

    monkeypatch.setattr(auditing, "open_log", open_log)
    monkeypatch.setattr(ledger, "standing", standing)
    monkeypatch.chdir(tmp_path)
    return made


def run(*args: str) -> Result:
    return CliRunner().invoke(truyvet, ["export", *args])


def rows(path: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_spreadsheet_gets_every_exposure_and_nothing_that_runs(log: Log) -> None:
    assert run("csv", "--all", "--out", "x.csv", *WHO).exit_code == 0
    found = rows("x.csv")
    # As `truyvet exposures` lists them: by case, strongest first.
    assert [(row["case_id"], row["person"]) for row in found] == [("C1", P1), ("C1", P2), ("C2", P1), ("C2", P3)]
    assert found[0]["venues"] == "'=cmd|' /C calc'!A0 v2"
    assert (found[0]["score"], found[0]["follow_up_until"]) == ("80.0", "2026-01-20")
    assert (found[3]["level"], found[3]["via"], found[3]["score"], found[3]["test_on"]) == ("F2", P1, "", "")
    assert Path("x.csv").stat().st_mode & 0o077 == 0
    assert Path("x.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "Excel takes it for Latin-1"


def test_godata_gets_a_contact_once_and_a_relationship_a_case(log: Log) -> None:
    assert run("godata", "--all", "--out", "g.csv", *WHO).exit_code == 0
    (contact,) = rows("g-contacts.csv")
    assert tuple(contact) == godata.CONTACTS
    assert contact["visualId"] == P1 and contact["relationship.relatedId"] == "C2", "the strongest one's"
    assert contact["riskLevel"] == "LNG_REFERENCE_DATA_CATEGORY_RISK_LEVEL_3_HIGH"
    # 17:10 UTC is after midnight in Vietnam.
    assert contact["relationship.contactDate"] == "2026-01-06"
    assert contact["relationship.certaintyLevelId"] == "LNG_REFERENCE_DATA_CATEGORY_CERTAINTY_LEVEL_3_HIGH"
    pairs = rows("g-relationships.csv")
    assert tuple(pairs[0]) == godata.RELATIONSHIPS
    assert [(p["sourcePerson"], p["targetPerson"]) for p in pairs] == [("C1", P1), ("C2", P1)]
    assert pairs[0]["certaintyLevelId"].endswith("2_MEDIUM") and pairs[0]["contactDateEstimated"] == "true"


def test_sormas_gets_its_two_rows_of_names_and_its_words(log: Log) -> None:
    assert run("sormas", "--case", "C1", "--out", "s.csv", *WHO, "--us-dates").exit_code == 0
    with open("s.csv", encoding="utf-8", newline="") as file:
        entities, columns, *found = csv.reader(file)
    assert entities[0] == "Contact" and entities[-1] == "Person" and tuple(columns) == sormas.COLUMNS
    contact, dismissed = (dict(zip(columns, row, strict=True)) for row in found)
    assert contact["contactClassification"] == "UNCONFIRMED" and dismissed["contactClassification"] == "NO_CONTACT"
    assert (contact["firstContactDate"], contact["lastContactDate"]) == ("01/05/2026", "01/06/2026")
    assert (contact["multiDayContact"], contact["followUpUntil"]) == ("true", "01/20/2026")
    assert contact["reportDateTime"] == "01/06/2026 08:00" and contact["person.sex"] == "UNKNOWN"


def test_every_file_has_its_audit_line_first(log: Log) -> None:
    assert run("xlsx", "--case", "C1", "--out", "x.xlsx", *WHO).exit_code == 0
    (sent,) = log.sent
    line = read_line(sent.value or b"")
    assert line is not None
    assert (line.action, line.by, line.subject, line.case_id) == ("export", "An", "C1", "C1")
    assert line.reason == "hand-over (xlsx)"
    log.down = True
    failed = run("csv", "--all", "--out", "y.csv", *WHO)
    assert failed.exit_code == 1 and "no audit, no answer" in failed.stderr
    assert not Path("y.csv").exists()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["csv", "--out", "x.csv", *WHO], 2, "--all"),
        (["csv", "--all", "--case", "C1", "--out", "x.csv", *WHO], 2, "--all"),
        (["csv", "--all", "--out", "x.xlsx", *WHO], 2, "--out"),
        (["csv", "--all", "--out", "x.csv", "--by", "An", "--reason", " "], 2, "--reason"),
        (["csv", "--all", "--out", "x.csv", "--by", "An", "--reason", "call 079001990002"], 2, "reason"),
        (["pdf", "--all", "--out", "x.csv", *WHO], 2, "godata"),
        (["csv", "--case", "C9", "--out", "x.csv", *WHO], 1, "no exposure stands of case C9"),
    ],
)
def test_wrong_use_is_named_and_leaves_no_file(log: Log, args: list[str], code: int, words: str) -> None:
    result = run(*args)
    assert result.exit_code == code and words in result.stderr, result.output
    assert "079001990002" not in result.output
    assert list(Path.cwd().iterdir()) == [] == log.sent


@given(st.text(max_size=8), st.sampled_from(["", "=", "+", "-", "@", "\t", "\r"]))
def test_no_text_begins_like_a_formula(text: str, first: str) -> None:
    made = safe(first + text)
    assert isinstance(made, str) and not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert made.removeprefix("'") == (first + text).removeprefix("'")
    assert safe(-1.5) == -1.5


def test_a_workbook_holds_texts_and_numbers_only() -> None:
    sheet = Sheet("s", ["=a"], [["=1+1"], ["{=1+1}"], ["http://x"], ["mailto:x"], [-2], ["-2"], [None], ["'=1"]])
    file = BytesIO()
    write_xlsx(file, [sheet])
    with zipfile.ZipFile(file) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
        assert not any("hyperlink" in book.read(name).decode("latin-1") for name in book.namelist() if "sheet" in name)
    assert "<f>" not in page and "<f " not in page
    assert re.findall(r"<v>(.*?)</v>", page) == ["-2"]
    assert re.findall(r"<t[^>]*>(.*?)</t>", page) == ["'=a", "'=1+1", "{=1+1}", "http://x", "mailto:x", "'-2", "'=1"]


def test_a_cell_with_a_line_break_stays_one_cell() -> None:
    file = BytesIO()
    write_csv(file, Sheet("s", ["a", "b"], [["x\r\n=1", 'say "hi", you']]))
    assert list(csv.reader(file.getvalue().decode().splitlines(keepends=True)))[1] == ["x\r\n=1", 'say "hi", you']
    assert not file.closed and json.dumps(file.getvalue().decode()).count("\\r\\n") == 3
