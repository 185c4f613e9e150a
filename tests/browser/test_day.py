"""The tracer's day in a browser: sign in, a new case, why, release and refuse by four eyes, and what is on record."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAPTOP, PHONE, Desk, Person

pytestmark = pytest.mark.browser
PLACES = ("overview", "cases", "held_cases", "places", "health")


@pytest.fixture(scope="module")
def tracer(desk: Desk) -> Person:
    return desk.person("tracer").sign_in()


@pytest.fixture(scope="module")
def supervisor(desk: Desk) -> Person:
    return desk.person("supervisor").sign_in()


def in_state(desk: Desk, state: str) -> list[dict[str, Any]]:
    found = [status for status in desk.statuses().values() if status["state"] == state]
    return sorted(found, key=lambda status: status["case_id"])


def test_signing_in(desk: Desk) -> None:
    person = desk.person("tracer").sign_in("not the password")
    person.see("Sai tên hoặc mật khẩu.")
    assert not person.context.cookies()
    person.sign_in()
    person.page.wait_for_selector("h1.desk")
    assert person.page.url == desk.url + "/"
    (cookie,) = (c for c in person.context.cookies() if c["name"].startswith("truyvet_desk_"))
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and len(cookie["value"]) >= 43
    # English and back; the choice stays with this browser.
    person.page.get_by_role("button", name="English").click()
    person.see("Overview")
    person.page.get_by_role("button", name="Sign out").click()
    person.see("Sign in")
    person.page.goto(desk.url)
    assert person.page.url == desk.url + "/sign-in"


def test_a_new_case_comes_up_within_two_seconds_of_its_exposures(desk: Desk, tracer: Person) -> None:
    tracer.at("cases")
    tracer.page.wait_for_selector("button.link.strong")
    case = desk.cases[-1]
    link = tracer.page.get_by_role("button", name=f"Mở ca {case['case_id']}", exact=True)
    expect(link).to_have_count(0)
    desk.report(case)
    link.wait_for(timeout=30_000)
    seen = time.time() * 1000
    of_case = [at for topic in ("exposures", "case-status") for at, r in desk.records(topic)
               if r["case_id"] == case["case_id"]]  # fmt: skip
    assert of_case
    assert seen - max(of_case) < 2000, "a case is on the page two seconds after it is published"


def test_why_somebody_is_a_contact(desk: Desk, tracer: Person) -> None:
    open_case = in_state(desk, "open")[0]
    tracer.open_case(open_case["case_id"])
    contact = tracer.page.locator("button.link[title]").first
    pseudonym = contact.get_attribute("title")
    assert pseudonym is not None and pseudonym.startswith("p1")
    contact.click()
    dialog = tracer.page.locator(".explain")
    expect(dialog).to_contain_text(pseudonym)
    expect(dialog).to_contain_text("quy tắc 3")
    (told,) = [r for _, r in desk.records("exposures") if r["case_id"] == open_case["case_id"]
               and r["person"] == pseudonym and r["status"] == "raised"]  # fmt: skip
    expect(dialog).to_contain_text(f"{told['score']:.2f}")
    looks = [line for _, line in desk.records("audit") if line["action"] == "look" and line["by"] == "tracer"]
    assert open_case["case_id"] in {line["subject"] for line in looks}, "the list was a look"
    assert told["exposure_id"] in {line["subject"] for line in looks}, "so was the explanation"

    # Found to be no contact: it says so, and the decision names who was signed in.
    dialog.get_by_role("button", name="Loại trừ").click()
    tracer.page.locator("td .chip.dismissed").first.wait_for()
    (decision,) = [r for _, r in desk.records("decisions") if r.get("exposure_id") == told["exposure_id"]]
    assert (decision["decision"], decision["by"]) == ("dismiss", "tracer")


def test_filters_the_timeline_and_the_graph(desk: Desk, tracer: Person) -> None:
    open_case = in_state(desk, "open")[0]
    tracer.open_case(open_case["case_id"])
    people = tracer.page.locator("button.link[title]")
    wanted = people.nth(1).get_attribute("title")
    assert wanted is not None
    tracer.page.fill(".desk-search input", wanted[:14])
    expect(people).to_have_count(1)
    tracer.page.get_by_role("tab", name="Lịch trình").click()
    tracer.page.locator("canvas").first.wait_for()
    tracer.page.get_by_role("tab", name="Đồ thị tiếp xúc").click()
    tracer.page.locator(".desk-graph canvas").wait_for()
    # A click on the dot in the middle, which is the case.
    box = tracer.page.locator(".desk-graph canvas").bounding_box()
    assert box is not None
    tracer.page.mouse.click(box["x"] + box["width"] / 2 - 10, box["y"] + (box["height"] - 20) / 2)
    side = tracer.page.locator(".panel").last
    expect(side.locator("h2")).not_to_have_count(0)
    expect(side.locator("h2").first).to_contain_text("F0")


def test_four_eyes_release(desk: Desk, tracer: Person, supervisor: Person) -> None:
    case_id = in_state(desk, "held")[0]["case_id"]
    card = f"[data-held='{case_id}']"
    tracer.at("held_cases")
    assert tracer.page.locator(f"{card} [data-do=refuse]").count() == 0, "a tracer refuses nothing"
    tracer.page.click(f"{card} [data-do=propose]")
    tracer.page.click("[data-sure=propose]")
    tracer.page.click(f"{card} [data-do=release]")
    tracer.see("Người đề nghị không được tự duyệt")
    assert not [r for _, r in desk.records("decisions") if r.get("case_id") == case_id]

    supervisor.at("held_cases")
    expect(supervisor.page.locator(card)).to_contain_text("tracer")
    supervisor.page.click(f"{card} [data-do=release]")
    supervisor.page.click("[data-sure=release]")
    supervisor.page.locator(card).wait_for(state="detached")
    (decision,) = [r for _, r in desk.records("decisions") if r.get("case_id") == case_id]
    assert (decision["decision"], decision["by"]) == ("release", "supervisor")
    assert "tracer" in decision["note"]
    desk.truyvet("wait", "--timeout", "60")
    status = desk.statuses()[case_id]
    assert status["state"] == "open" and not status.get("held")
    raised = {r["exposure_id"] for _, r in desk.records("exposures") if r["case_id"] == case_id}
    assert len(raised) == status["f1"]


def test_a_refusal(desk: Desk, supervisor: Person) -> None:
    case_id = in_state(desk, "held")[0]["case_id"]
    card = f"[data-held='{case_id}']"
    supervisor.at("held_cases")
    supervisor.page.click(f"{card} [data-do=refuse]")
    supervisor.page.get_by_label("Ghi chú").fill("gọi 0912345678")
    supervisor.page.click("[data-sure=refuse]")
    supervisor.see("Ghi chú có vẻ chứa mã cá nhân")
    supervisor.page.click(f"{card} [data-do=refuse]")
    supervisor.page.click("[data-sure=refuse]")
    supervisor.page.locator(card).wait_for(state="detached")
    desk.truyvet("wait", "--timeout", "60")
    assert desk.statuses()[case_id]["state"] == "refused"


def test_the_auditor_sees_who_did_what(desk: Desk) -> None:
    auditor = desk.person("auditor").sign_in()
    auditor.page.wait_for_selector("h1.desk")
    assert auditor.page.locator("[data-place=cases]").count() == 0
    auditor.at("audit")
    table = auditor.page.locator("tbody")
    for by, what in (("tracer", "xem"), ("supervisor", "quyết định")):
        auditor.page.fill(".desk-search input", by)
        expect(table).to_contain_text(what)
        expect(table.locator("tr").first).to_contain_text(by)


@pytest.mark.parametrize("role", ["viewer", "head"])
def test_who_sees_counters_only(desk: Desk, role: str) -> None:
    person = desk.person(role).sign_in()
    person.page.wait_for_selector(".tile")
    assert person.page.locator("[data-place]").count() == 1
    text = person.page.inner_text("body")
    assert "p1" not in text and not any(case["case_id"] in text for case in desk.cases)
    assert ("Độ phủ" in text) == (role == "viewer")
    assert ("Đơn vị" in text) == (role == "head")


def test_by_keys_alone(desk: Desk) -> None:
    person = desk.person("tracer").sign_in()
    person.page.wait_for_selector("h1.desk")
    keys = person.page.keyboard
    keys.press("?")
    person.see("Phím tắt")
    keys.press("Escape")
    person.page.locator(".q-dialog").wait_for(state="detached")
    keys.press("2")
    person.page.wait_for_selector("button.link.strong")
    keys.press("/")
    person.page.wait_for_function("document.activeElement.tagName === 'INPUT'")
    keys.type(in_state(desk, "open")[0]["case_id"])
    expect(person.page.locator("button.link.strong")).to_have_count(1)
    _tab_to(person, "link strong")
    keys.press("Enter")
    person.page.wait_for_selector("button.link[title]")
    _tab_to(person, "link mono")
    keys.press("Enter")
    person.page.wait_for_selector(".explain")
    keys.press("Escape")
    person.page.locator(".explain").wait_for(state="detached")


def _tab_to(person: Person, classes: str) -> None:
    for _ in range(40):
        person.page.keyboard.press("Tab")
        if classes in person.page.evaluate("document.activeElement.className || ''"):
            return
    raise AssertionError(f"no way by Tab to .{classes}")


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_nothing_is_wider_than_the_window(desk: Desk, size: tuple[int, int]) -> None:
    person = desk.person("supervisor", size).sign_in()
    person.page.wait_for_selector("h1.desk")
    for number, place in enumerate(PLACES, 1):
        person.page.keyboard.press(str(number))
        person.page.wait_for_selector(f"[data-place={place}].here", state="attached")
        person.page.wait_for_timeout(300)
        assert person.overflows() <= 0, place
    person.page.keyboard.press("2")
    person.page.locator("button.link.strong").first.click()
    for tab in ("Phơi nhiễm", "Lịch trình", "Đồ thị tiếp xúc"):
        person.page.get_by_role("tab", name=tab).click()
        person.page.wait_for_timeout(300)
        assert person.overflows() <= 0, tab


def test_a_session_ends_with_its_user(desk: Desk) -> None:
    desk.add("short", "viewer")
    person = desk.person("short").sign_in()
    person.page.wait_for_selector(".tile")
    desk.truyvet("desk", "user", "remove", "short")
    person.page.wait_for_url(desk.url + "/sign-in")
