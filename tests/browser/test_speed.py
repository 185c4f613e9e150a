"""The page answers in less than 300 ms with 1,000 cases and 100,000 standing exposures."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page

from console.deskpage.users import Users
from console.page import listening, url_of
from streams.runtime.embedded import EmbeddedRedis
from streams.runtime.process import die_with_parent
from tests.browser.big import EXPOSURES, LARGEST, fill
from tests.browser.conftest import ROOT, Person

pytestmark = pytest.mark.browser
LIMIT_MS = 300
TIMES = 5
"""The quickest of five: what the page itself takes, and not what else the machine does meanwhile."""
PASSWORD = "a password for tests"
# From the click to the first frame that shows what was asked for, as the browser itself counts.
_TIMED = """([selector, text, value]) => new Promise((done, failed) => {
  const began = performance.now(), element = document.querySelector(selector);
  const look = () => {
    if (document.querySelector('[role=main]').innerText.includes(text)) done(performance.now() - began);
    else if (performance.now() - began > 10000) failed(new Error('not shown: ' + text));
    else requestAnimationFrame(look);
  };
  if (value === null) element.click();
  else { element.value = value; element.dispatchEvent(new Event('input', {bubbles: true})); }
  look();
})"""


@pytest.fixture(scope="module")
def big(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    folder = tmp_path_factory.mktemp("big")
    Users(folder).put("lan", "supervisor", PASSWORD)
    redis = EmbeddedRedis(folder / "redis")
    redis.start()
    held = listening()
    try:
        assert fill(redis.url) == EXPOSURES
        command = [sys.executable, "-m", "tests.browser.big", redis.url, str(folder), str(held.fileno())]
        with (folder / "log").open("wb") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, pass_fds=[held.fileno()], preexec_fn=die_with_parent
            )
        try:
            with urlopen(url_of(held) + "/sign-in", timeout=120):  # while it begins, who asks waits
                pass
            person = Person(browser, url_of(held), "lan", PASSWORD).sign_in()
            person.page.wait_for_selector(".tile")
            yield person
            person.context.close()
        finally:
            child.terminate()
            child.wait(20)
    finally:
        held.close()
        redis.stop()
    assert Path(folder / "log").read_text() == ""


def timed(page: Page, selector: str, text: str, value: str | None = None) -> float:
    return float(page.evaluate(_TIMED, [selector, text, value]))


def test_the_page_itself(big: Person) -> None:
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in big.context.cookies())
    took = []
    for _ in range(TIMES):
        began = time.monotonic()
        with urlopen(Request(big.url + "/", headers={"Cookie": cookies}), timeout=10) as answer:
            assert b"1.000" in answer.read() or answer.status == 200
        took.append((time.monotonic() - began) * 1000)
    assert min(took) < LIMIT_MS, took


def test_every_place_and_case(big: Person) -> None:
    page, took = big.page, dict[str, list[float]]()
    ways = [
        ("[data-place=cases]", "1–15 / 1000", None),
        ("[data-place=held_cases]", "C-0240", None),
        ("[data-place=places]", "1–15 / 20000", None),
        ("[data-place=overview]", "1–15 / 300", None),
        ("[data-place=cases]", "1–15 / 1000", None),
        (".desk-search input", "1–1 / 1", "C-0000"),
        ("button.link.strong", f"1–15 / {LARGEST}", None),
        (".q-tab:nth-child(2)", "Các lần ghé", None),
    ]
    for _ in range(TIMES):
        for selector, text, value in ways:
            took.setdefault(f"{selector} {value or ''}", []).append(timed(page, selector, text, value))
    best = {what: round(min(times)) for what, times in took.items()}
    print(best)
    assert all(ms < LIMIT_MS for ms in best.values()), (best, took)


def test_a_page_of_rows_and_a_filter_of_the_largest_case(big: Person) -> None:
    page = big.page
    turned, filtered = [], []
    for number in range(TIMES):
        page.click("[data-place=cases]")
        page.wait_for_selector("button.link.strong")
        page.fill(".desk-search input", "C-0000")
        page.get_by_role("button", name="Mở ca C-0000", exact=True).click()
        page.wait_for_selector("button.link[title]")
        turned.append(timed(page, ".q-table__bottom .q-btn:nth-last-child(2)", f"16–30 / {LARGEST}"))
        some = page.locator("button.link[title]").nth(number).get_attribute("title")
        assert some is not None
        filtered.append(timed(page, ".desk-search input", "1–1 / 1", some))
    print(min(turned), min(filtered))
    assert max(min(turned), min(filtered)) < LIMIT_MS, (turned, filtered)
