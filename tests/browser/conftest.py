"""One `truyvet up` on a small simulated province, and Debian's Chromium, for all browser tests of a run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from streams.runtime.settings import Settings
from tests.pipeline.test_up import CLEAN, Up, truyvet

Result = TypeVar("Result")
ROOT = Path(__file__).resolve().parents[2]
LAPTOP, PHONE = (1366, 768), (390, 844)
PEOPLE = ("--people", "2500", "--venues", "170", "--start", "yesterday", "--cases", "12")
HELD_ABOVE = 150  # of 11 cases three to seven are held, whatever the day (the smallest: 21 to 81 F1, by the day)
"""F1 of a case above which it is held: of twelve cases of this province some are, some are not."""
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without those about networking Chromium asks for Google's hosts at every start."""


def chromium() -> str:
    """The program; brought by apt where that may be. A machine without it fails these tests, and says what to run."""
    if shutil.which("chromium") is None:
        done = subprocess.run([ROOT / "deploy/install.sh", "browser"], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    found = shutil.which("chromium")
    assert found is not None
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(_ARGUMENTS))
        yield opened
        opened.close()


def apart(function: Callable[..., Result], *arguments: Any) -> Result:
    """In a thread of its own: Playwright's loop runs in this one, and asyncio allows no second."""
    with ThreadPoolExecutor(1) as one:
        return one.submit(function, *arguments).result()


class Person:
    """Somebody at a browser of their own. `urls`: everything that it asked for; `faults`: what its console said."""

    def __init__(self, browser: Browser, url: str, name: str, password: str, size: tuple[int, int] = LAPTOP) -> None:
        self.url, self.name, self._password = url, name, password
        self.context: BrowserContext = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.urls: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.urls.append(request.url))
        self.page.on("websocket", lambda socket: self.urls.append(socket.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def sign_in(self, password: str | None = None) -> Person:
        self.page.goto(self.url)
        self.page.fill("#name", self.name)
        self.page.fill("#password", password or self._password)
        self.page.click(".go")
        return self

    def at(self, place: str) -> Person:
        """To a place of the menu."""
        self.page.click(f"[data-place={place}]")
        self.page.wait_for_selector(f"[data-place={place}].here")
        return self

    def see(self, text: str, timeout: float = 20.0) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=timeout * 1000)

    def open_case(self, case_id: str) -> None:
        self.at("cases")
        self.page.wait_for_selector("button.link.strong")  # not the filter of a case that was open before
        self.page.fill(".desk-search input", case_id)
        self.page.get_by_role("button", name=f"Mở ca {case_id}", exact=True).click()
        self.page.wait_for_selector("button.link[title]")

    def overflows(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


class Desk:
    """The running system, the cases that are not reported yet, and who may sign in."""

    def __init__(self, folder: Path, up: Up, browser: Browser) -> None:
        self.folder, self.up, self.browser = folder, up, browser
        ready = up.ready()
        self.url: str = ready["page"]
        self.settings = Settings.load({**CLEAN, "TRUYVET_KAFKA": ready["kafka"], "TRUYVET_REDIS": ready["redis"]})
        words = folder / ".truyvet/data/desk/first-passwords"
        _until(words.exists)
        self.passwords = dict(line.split() for line in words.read_text().splitlines())
        self.cases: list[dict[str, Any]] = []
        self.people: list[Person] = []

    def truyvet(self, *words: str, text: str | None = None) -> str:
        done = truyvet(self.folder, *words, text=text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, name: str, role: str, *more: str) -> None:
        self.passwords[name] = f"password of {name}"
        self.truyvet("desk", "user", "add", name, "--role", role, *more, text=self.passwords[name] + "\n")

    def person(self, name: str, size: tuple[int, int] = LAPTOP) -> Person:
        made = Person(self.browser, self.url, name, self.passwords[name], size)
        self.people.append(made)
        return made

    def report(self, case: dict[str, Any]) -> None:
        from console.desk import send
        from schemas.case import decode_case

        apart(send, self.settings, "cases", case["case_id"], case, decode_case)

    def statuses(self) -> dict[str, dict[str, Any]]:
        lines = self.truyvet("cases", "--json").splitlines()
        return {status["case_id"]: status for status in map(json.loads, lines)}

    def records(self, topic: str) -> list[tuple[int, Any]]:
        """(record timestamp in ms, content) of everything on a topic."""
        from tests.pipeline.broker import Kafka

        found = apart(lambda: Kafka(self.settings.kafka).read(topic, partitions=4))
        return [(record.timestamp, json.loads(record.value)) for record in found if record.value]


def _until(condition: Callable[[], Any], patience: float = 60.0) -> None:
    from tests.pipeline.system import wait_until

    wait_until(condition, patience)


@pytest.fixture(scope="package")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    policies = folder / "policies"
    policies.mkdir()
    text = (ROOT / "streams/rules/policies/vn-11042.toml").read_text()
    text, changed = re.subn(r"(?m)^approval_above = \d+", f"approval_above = {HELD_ABOVE}", text)
    assert changed == 1
    (policies / "vn-11042.toml").write_text(text)
    up = Up(folder, TRUYVET_POLICIES=str(policies))
    try:
        made = Desk(folder, up, browser)
        made.truyvet("simulate", *PEOPLE, "--out", "province")
        made.cases = [json.loads(line) for line in (folder / "province/cases.ndjson").read_bytes().splitlines()]
        for name in ("auditor2", "viewer", "head"):
            more = ("--organisation", "DV-1") if name == "head" else ()
            made.add(name, name.rstrip("2"), *more)
        _registries(made)
        yield made
    finally:
        for person in made.people if "made" in locals() else ():
            person.context.close()
        up.stop()
        up.close()


def _registries(desk: Desk) -> None:
    """Venues, scans, and all cases but the last, which a test reports."""
    import asyncio

    from console.publishing import send_keyed

    province = desk.folder / "province"
    venues = [(json.loads(line)["venue_id"], line) for line in (province / "venues.ndjson").read_bytes().splitlines()]
    apart(lambda: asyncio.run(send_keyed(desk.settings, "venues", venues)))
    desk.truyvet("replay", "province/scans.ndjson")
    for case in desk.cases[:-1]:
        desk.report(case)
    desk.truyvet("wait", "--timeout", "120")


@pytest.fixture(autouse=True)
def _nothing_from_elsewhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test: no address held data, nothing was asked of another host, no script failed."""
    yield
    if "desk" not in request.fixturenames:
        return
    made: Desk = request.getfixturevalue("desk")
    host = made.url.removeprefix("http://")
    for person in made.people:
        assert person.faults == []
        for url in person.urls:
            assert url.startswith((f"http://{host}/", f"ws://{host}/", "data:", f"blob:http://{host}/")), url
            if not url.startswith("data:"):
                assert not re.search(r"p1[a-z2-7]{26}", url), "a pseudonym in an address"
                assert not any(case["case_id"] in url for case in made.cases), "a case in an address"
