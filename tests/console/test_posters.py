"""`truyvet poster` and `truyvet card`: what a decoder reads from the printed page, at which size."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import ImageDraw

from console.drawing.fonts import fitted, folded, width
from console.drawing.svg import svg
from console.main import truyvet
from console.posters import poster
from console.trouble import explained
from streams.ports import Call
from streams.rules.poster import poster_key, poster_text, read_poster
from streams.state.table import Table
from streams.state.venues import VenueRow, encode_row
from tests.console.decoder import across, pages, picture, read, words
from tests.simulation.redis import RedisServer, private_server

KEY = "k" * 40
CODE = "999000000001"
LONG_ID = "Địa-điểm.số 1/" + "ở" * 50
VENUES = [
    {"venue_id": "cho-1", "name": "Chợ Đồng Hới", "commune": "18880", "status": "open"},
    {"venue_id": LONG_ID, "name": "Nhà hàng Phở " + "rất ngon và rất dài " * 8, "commune": "18883"},
    {"venue_id": "old", "name": "Quán cũ", "commune": "18880", "status": "closed"},
]


class Store:
    def __init__(self, server: RedisServer) -> None:
        self.server = server

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        return [self.server.call(call) for call in calls]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


@pytest.fixture
def here(server: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, with VENUES registered."""
    server.begin()

    @asynccontextmanager
    async def open_store(_: object) -> AsyncIterator[Store]:
        yield Store(server)

    async def register() -> None:
        table: Table[bytes] = Table("venues", lambda _, row: row)
        for venue in VENUES:
            value = json.dumps({**venue, "type": "market", "registered_at": "2026-01-01T00:00:00Z"}).encode()
            assert await table.put(Store(server), venue["venue_id"], b"", encode_row(VenueRow(1, value, "market")))

    asyncio.run(register())
    monkeypatch.setattr("console.stores.open_store", open_store)
    monkeypatch.setenv("TRUYVET_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, text: str | None = None) -> Result:
    return CliRunner().invoke(truyvet, list(args), input=text)


def text_of(venue_id: str) -> str:
    return poster_text(venue_id, poster_key(KEY.encode()))


def test_a_poster_says_its_venue_signed_and_is_large_enough(here: Path) -> None:
    assert run("poster", "cho-1").exit_code == 0
    made = (here / "poster-cho-1.pdf").read_bytes()
    (page,) = pages(made)
    assert read(page) == [text_of("cho-1")]
    assert round(across(page) * 210, 0) >= 150, "smaller than 15 cm"
    said = words(made)[0]
    assert "Chợ Đồng Hới" in said and "QUÉT MÃ KHI ĐẾN VÀ KHI RỜI ĐI" in said
    found = read_poster(read(page)[0], [poster_key(KEY.encode())])
    assert (found.venue_id, found.state) == ("cho-1", "signed")


def test_an_svg_has_the_same_code_and_its_size_in_millimetres(here: Path) -> None:
    assert run("poster", "cho-1", "--out", "a.svg").exit_code == 0
    made = (here / "a.svg").read_text()
    assert 'width="210mm" height="297mm"' in made and ">Chợ Đồng Hới</text>" in made
    assert read(picture(made)) == [text_of("cho-1")]
    assert across(picture(made)) * 210 >= 149.5


def test_a_torn_and_dirty_poster_is_still_read(here: Path) -> None:
    image = picture(svg(poster("cho-1", "Chợ", text_of("cho-1"))))
    box = image.width * 130 / 210, image.width * 120 / 210, image.width * 160 / 210, image.width * 150 / 210
    ImageDraw.Draw(image).rectangle(box, fill="#806040")
    assert read(image) == [text_of("cho-1")]


def test_all_are_the_open_ones_a_page_each_and_the_longest_id_is_read(here: Path) -> None:
    done = run("poster", "--all", "--out", "all.pdf")
    assert done.exit_code == 0 and "2 posters" in done.stdout
    made = pages((here / "all.pdf").read_bytes())
    assert sorted(read(page)[0] for page in made) == sorted([text_of("cho-1"), text_of(LONG_ID)])
    assert run("poster", "--all", "--area", "18880").exit_code == 0
    assert [read(page) for page in pages((here / "posters.pdf").read_bytes())] == [[text_of("cho-1")]]


def test_check_tells_ours_from_others(here: Path) -> None:
    assert run("poster", "--check", text_of("cho-1")).exit_code == 0
    forged = run("poster", "--check", text_of("cho-1").replace("cho-1", "cho-2"))
    assert forged.exit_code == 1 and json.loads(forged.stdout)["state"] == "forged"


@pytest.mark.parametrize(
    ("args", "code", "words_"),
    [
        (["poster"], 2, "--all"),
        (["poster", "cho-1", "--all"], 2, "--all"),
        (["poster", "cho-1", "--area", "1"], 2, "--area"),
        (["poster", "cho-1", "--out", "x.png"], 2, "--out"),
        (["poster", "--all", "--out", "x.svg"], 2, "SVG"),
        (["poster", "cho-11"], 1, "did you mean 'cho-1'"),
        (["poster", "--all", "--area", "no"], 1, "no open venue"),
        (["card", "--out", "x.png"], 2, "--out"),
    ],
)
def test_wrong_use_is_named_and_leaves_no_file(here: Path, args: list[str], code: int, words_: str) -> None:
    result = run(*args)
    assert result.exit_code == code and words_ in result.stderr, result.output
    assert list(here.iterdir()) == []


def test_a_card_is_the_code_as_it_was_given_and_nothing_else_tells_it(here: Path) -> None:
    codes = [CODE, "012345678901|NGUYỄN VĂN A|01/01/1990|1|9990000000019|X"]
    done = run("card", "--out", "cards.pdf", "--label", "Tổ bảo vệ", text="\n".join(codes) + "\n")
    assert done.exit_code == 0, done.output
    made = (here / "cards.pdf").read_bytes()
    assert [read(page) for page in pages(made, 4)] == [[code] for code in codes]
    assert all("Tổ bảo vệ" in said and CODE not in said and "NGUYỄN" not in said for said in words(made))
    assert CODE not in done.output and "NGUY" not in done.output
    assert (here / "cards.pdf").stat().st_mode & 0o077 == 0
    assert run("card", "--out", "one.svg", text=CODE).exit_code == 0
    assert read(picture((here / "one.svg").read_text())) == [CODE]
    assert CODE not in (here / "one.svg").read_text()


def test_a_code_is_no_argument_and_a_bad_one_is_not_repeated(here: Path) -> None:
    given = run("card", CODE, "--out", "x.pdf")
    assert given.exit_code == 2 and CODE not in given.output
    long = run("card", "--out", "x.pdf", text=f"{CODE}\n" + CODE * 300)
    assert long.exit_code == 1 and "code 2 is too long" in long.stderr and CODE not in long.output
    assert list(here.iterdir()) == []


def test_a_full_disk_leaves_no_half_poster(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import errno
    import os

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemExit) as ended, explained():
        truyvet(["poster", "cho-1"], standalone_mode=False)
    assert ended.value.code == 1 and "the disk is full" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_lines_fit_their_room() -> None:
    text = "Trung tâm " + "x" * 90 + " Đồng Hới"
    for line in folded(text, 10, 60):
        assert width(line, 10) <= 60
    assert "".join(folded(text, 10, 60)).replace(" ", "") == text.replace(" ", "")
    size, lines = fitted(text, 60, 2, (12, 9))
    assert size == 9 and len(lines) == 2 and lines[-1].endswith("…") and width(lines[-1], 9) <= 60
    assert fitted("ngắn", 60, 1, (12, 9)) == (12, ["ngắn"])
