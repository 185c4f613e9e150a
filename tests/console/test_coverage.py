"""`truyvet coverage` and `truyvet report` on a town that the real steps counted."""

from __future__ import annotations

import asyncio
import csv
import datetime
import json
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from console.coverage import charts, words
from console.coverage.sections import is_settling
from console.main import truyvet
from tests.console import town
from tests.console.decoder import pages
from tests.console.decoder import words as words_of_pdf
from tests.simulation.redis import RedisServer, private_server

TODAY = town.MORNING + 600 * town.MINUTE


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        asyncio.run(town.live(running))
        yield running


@pytest.fixture(autouse=True)
def here(server: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("console.coverage.today.open_store", town.opened(server))
    monkeypatch.setattr("console.coverage.today.now_ms", lambda: TODAY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Result:
    result = CliRunner().invoke(truyvet, list(args))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def covered(*args: str) -> dict[str, Any]:
    result = run("coverage", "--json", *args)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def by(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in rows}


def test_installs_venues_and_persons_of_each_area() -> None:
    found = covered()
    assert (found["day"], found["settling"], found["state"]) == (town.DAY, True, "ready")
    areas = by(found["areas"], "area")
    assert (areas["19363"]["of_population"], areas["19363"]["of_subscribers"]) == (40.0, 48.0)
    assert (areas["19366"]["active_percent"], areas["19366"]["scans"]) == (0.0, 0)
    # 14 of the market, 3 staff, 61 of the shared card, 2 of the copied code, in the commune; 2 at a stranger's.
    assert areas["44"]["scans"] == 80 and found["total"]["scans"] == 82
    assert (areas["44"]["in"], areas["44"]["out"], areas["44"]["balance"]) == (73, 7, 66)
    # 7 at the market, 3 staff, the shared card, the copied code.
    assert areas["44"]["persons"] == 12 and found["total"]["persons"] == 14
    assert found["total"]["venues_active"] == 2 and found["total"]["venues_registered"] == 3


def test_who_did_not_scan() -> None:
    without = [(row["kind"], row["id"], row["last_scan"]) for row in covered()["without"]]
    assert without == [("commune", "19366", ""), ("organisation", "truong", ""), ("venue", "lop-1", "never")]


def test_staff_of_the_headcount_and_few_are_not_told() -> None:
    organisations = by(covered()["organisations"], "organisation")
    assert organisations["tram"]["staff"] == "<5" and organisations["tram"]["presence"] is None
    assert organisations["so-y-te"]["scans"] == organisations["tram"]["scans"] == 4, "what is below counts above"
    assert (organisations["truong"]["staff"], organisations["truong"]["presence"]) == (0, 0.0)


def test_what_is_wrong_with_the_scans() -> None:
    found = covered()
    assert found["unregistered"] == [{"venue_id": "quan-la", "scans": 2, "persons": "<5"}]
    troubles = {row["gateway"]: row["trouble"] for row in found["gateways"]}
    assert troubles == {"g-dead": "silent", "g-fast": "unregistered, clock", "g1": "late"}
    assert (found["total"]["shared_codes"], found["total"]["two_places"]) == ("<5", "<5")
    doubtful = by(found["doubtful"], "venue_id")
    assert set(doubtful) == {"cho", "benh-vien"} and doubtful["benh-vien"]["shared_codes"] == 0


def test_an_area_and_an_organisation_see_their_own_only() -> None:
    commune = covered("--area", "19366")
    assert commune["scope"] == {"kind": "area", "id": "19366", "name": "Bố Trạch"}
    assert [row["area"] for row in commune["areas"]] == ["19366"] and commune["total"]["scans"] == 0
    assert [row["organisation"] for row in commune["organisations"]] == ["truong"]
    assert commune["doubtful"] == commune["unregistered"] == commune["gateways"] == []
    body = covered("--organisation", "so-y-te")
    assert [row["organisation"] for row in body["organisations"]] == ["so-y-te", "tram"] and body["areas"] == []
    assert (body["total"]["scans"], body["total"]["venues_registered"], body["total"]["persons"]) == (4, 1, None)


def test_a_day_is_settling_until_it_is_three_days_old(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [is_settling(10, today) for today in (10, 11, 12, 13)] == [True, True, True, False]
    shown = run("coverage", "--day", town.DAY).stdout
    assert "Quảng Trị on 2026-01-05, settling: its figures still change" in shown
    monkeypatch.setattr("console.coverage.today.now_ms", lambda: TODAY + 3 * 86_400_000)
    assert "settling" not in run("coverage", "--day", town.DAY).stdout
    assert [row["state"] for row in covered("--day", "2026-01-08")["trend"]][-3:] == ["settling"] * 3


def test_csv_and_xlsx_have_what_json_has(here: Path) -> None:
    assert run("coverage", "--csv", "c.csv", "--xlsx", "c.xlsx").stdout == ""
    found = covered()
    sections = {path.stem.removeprefix("c-") for path in here.glob("c-*.csv")}
    assert sections == {key for key, value in found.items() if isinstance(value, list)} | {"total"}
    with (here / "c-areas.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{key: str(value) for key, value in row.items()} for row in found["areas"]] == rows
    with (here / "c-total.csv").open(encoding="utf-8-sig", newline="") as file:
        (total,) = csv.DictReader(file)
    assert (total["day"], total["state"], total["of"]) == (town.DAY, "settling", "Quảng Trị")
    with zipfile.ZipFile(here / "c.xlsx") as book:
        names = re.findall(r'<sheet name="([a-z]+)"', book.read("xl/workbook.xml").decode())
    assert set(names) == sections


class Page(HTMLParser):
    """What a page loads, and whether every tag is closed."""

    VOID = frozenset(["meta", "rect", "line", "path"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_by_itself_and_says_that_it_is_settling(here: Path) -> None:
    assert run("report", town.DAY).stdout.split() == [f"report-{town.DAY}.html", f"report-{town.DAY}.pdf"]
    text = (here / f"report-{town.DAY}.html").read_text()
    page = Page(text)
    assert page.loads == [] and page.open == [] and "<script" not in text
    assert text.count("<svg") == 5 and '<html lang="vi">' in text
    assert "Ngày này chưa ổn định" in text and '<span class="mark">chưa ổn định</span>' in text
    assert charts.SETTLING_IN in text
    # A name of the registry is text, whatever it looks like.
    assert "Trạm &lt;y tế&gt;" in text and "<y tế>" not in text
    for figure in ("<b>82</b>", "<b>2 / 3</b>", "<b>&lt;5</b>"):
        assert figure in text


def test_the_paper_has_what_the_page_has(here: Path) -> None:
    assert run("report", town.DAY, "--area", "19363", "--lang", "en", "--out", "r.pdf").stdout == "r.pdf\n"
    made = (here / "r.pdf").read_bytes()
    said = " ".join(words_of_pdf(made))
    for word in ("QR check-in report", "Đồng Hới", "05/01/2026", "SETTLING", "Active of registered venues", "<5"):
        assert word in said, word
    for page in pages(made, 1):
        assert page.size == (596, 842)
        # Nothing runs over the edge: margins are white.
        margin = page.crop((560, 0, 596, 842)).convert("L")
        assert min(margin.getdata()) == 255


def test_a_long_table_goes_over_pages_and_says_what_it_left_out(here: Path) -> None:
    from console.coverage.blocks import Cards, Listed, Report
    from console.coverage.paper import paper

    rows = [[f"điểm {i}", "x" * 90] for i in range(120)]
    block = Listed("Bảng", ["tên", "mã"], rows, "và 3 dòng nữa", "")
    made = paper(Report("T", "A", ["note " * 60], True, "foot", [Cards([("1", "a")]), block]), words.Words("vi"))
    lowest = max(getattr(shape, "y", 0.0) for page in made for shape in page.shapes)
    assert len(made) == 3 and lowest <= 290
    said = [getattr(shape, "text", "") for page in made for shape in page.shapes]
    assert sum(text.startswith("điểm ") for text in said) == 120 and "và 3 dòng nữa" in said
    assert "CHƯA ỔN ĐỊNH · trang 3 / 3" in said


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["coverage", "--area", "1", "--organisation", "2"], 2, "not both"),
        (["coverage", "--csv", "x.txt"], 2, "--csv"),
        (["coverage", "--xlsx", "x.csv"], 2, "--xlsx"),
        (["coverage", "--day", "yesterday"], 2, "YYYY-MM-DD"),
        (["coverage", "--area", "19364"], 1, "did you mean"),
        (["report", "2026-13-01"], 2, "YYYY-MM-DD"),
        (["report", "--out", "x.doc"], 2, "--out"),
        (["report", "--organisation", "nobody"], 1, "no organisation 'nobody'"),
    ],
)
def test_wrong_use_is_named(here: Path, args: list[str], code: int, said: str) -> None:
    result = run(*args)
    assert result.exit_code == code and said in result.stderr, result.output
    assert list(here.iterdir()) == []


def test_every_word_is_there_in_both_languages() -> None:
    for key, both in words.WORDS.items():
        assert len(both) == 2 and all(both), key
        assert set(re.findall(r"\{\w+\}", both[0])) == set(re.findall(r"\{\w+\}", both[1])), key


def test_numbers_are_written_as_here_and_scales_are_round() -> None:
    assert charts.grouped(1234567) == "1.234.567"
    chart = charts.days([charts.Day("a", 731, 12, False)], "t", ("in", "out", "settling"))
    assert [shape.text for shape in chart.shapes if getattr(shape, "anchor", "") == "end"] == ["0", "400", "800"]
    assert datetime.date.fromisoformat(town.DAY).weekday() == 0
