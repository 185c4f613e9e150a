"""The desk page's parts without a browser: users, sessions, four eyes, board, filters, what is let in, its words."""

from __future__ import annotations

import json
import re
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from console.deskpage import words
from console.deskpage.board import Board
from console.deskpage.figures import few, grouped
from console.deskpage.guard import Guard, same_origin
from console.deskpage.ledger import Wanted, chosen
from console.deskpage.looks import Away, Looks
from console.deskpage.parts import plain
from console.deskpage.proposals import NotAllowed, Proposals
from console.deskpage.sessions import IDLE, LONGEST, TRIES, WINDOW, Doorkeeper, Sessions
from console.deskpage.users import FIRST_FILE, User, UserProblem, Users, first_users
from streams.ports import Out
from streams.runtime.exits import LogDown
from streams.runtime.settings import Settings
from streams.steps.audit import Auditor

PASSWORD = "a password for tests"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# -- users


def test_users_are_nobody_elses_to_read_and_passwords_are_not_there(tmp_path: Path) -> None:
    users = Users(tmp_path / "desk")
    users.put("lan", "tracer", PASSWORD)
    users.put("minh", "head", PASSWORD, "DV-1")
    file = tmp_path / "desk" / "users.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads(file.read_text())
    assert PASSWORD not in file.read_text()
    assert kept["lan"]["password"] != kept["minh"]["password"], "each has a salt of their own"
    assert users.check("lan", PASSWORD) == User("lan", "tracer")
    assert users.check("minh", PASSWORD) == User("minh", "head", "DV-1")
    for name, password in (("lan", PASSWORD + "x"), ("lan", ""), ("nobody", PASSWORD), ("", "")):
        assert users.check(name, password) is None


def test_a_change_by_another_process_counts_at_once(tmp_path: Path) -> None:
    desk, command = Users(tmp_path), Users(tmp_path)
    command.put("lan", "tracer", PASSWORD)
    assert desk.get("lan") == User("lan", "tracer")
    command.put("lan", "viewer", PASSWORD)
    assert desk.get("lan") == User("lan", "viewer")
    assert command.remove("lan") and not command.remove("lan")
    assert desk.get("lan") is None


@pytest.mark.parametrize(
    ("name", "role", "password", "organisation", "words"),
    [
        ("", "tracer", PASSWORD, None, "NAME"),
        (" lan", "tracer", PASSWORD, None, "NAME"),
        ("0912345678", "tracer", PASSWORD, None, "NAME"),
        ("lan", "boss", PASSWORD, None, "--role boss"),
        ("lan", "tracer", "short", None, "password"),
        ("lan", "head", PASSWORD, None, "--organisation"),
        ("lan", "tracer", PASSWORD, "DV-1", "--organisation"),
    ],
)
def test_a_wrong_user_is_told_why(
    tmp_path: Path, name: str, role: str, password: str, organisation: str | None, words: str
) -> None:
    with pytest.raises(UserProblem, match=re.escape(words)) as wrong:
        Users(tmp_path).put(name, role, password, organisation)
    assert password not in str(wrong.value) or password == "short"
    assert not (tmp_path / "users.json").exists()


def test_first_users_are_made_once(tmp_path: Path) -> None:
    file = first_users(tmp_path)
    assert file == tmp_path / FIRST_FILE and stat.S_IMODE(file.stat().st_mode) == 0o600
    passwords = dict(line.split() for line in file.read_text().splitlines())
    assert sorted(passwords) == ["auditor", "supervisor", "tracer"]
    for name, password in passwords.items():
        found = Users(tmp_path).check(name, password)
        assert found is not None and found.role == name
    assert first_users(tmp_path) is None


# -- sessions


def test_a_session_ends_by_itself_by_age_by_signing_out_and_with_its_user(tmp_path: Path) -> None:
    users, clock = Users(tmp_path), Clock()
    lan = users.put("lan", "tracer", PASSWORD)
    sessions = Sessions(users, clock)
    token = sessions.begin(lan, "vi")
    assert sessions.find(token) is not None and sessions.find(token + "x") is None and sessions.find(None) is None
    assert token not in repr(vars(sessions)), "what is kept is no use to whoever reads it"

    clock.now += IDLE + 1
    assert sessions.find(token) is None
    token = sessions.begin(lan, "vi")
    for _ in range(int(LONGEST / IDLE) + 1):
        session = sessions.find(token)
        if session is None:
            break
        sessions.touch(session)
        clock.now += IDLE - 1
    assert sessions.find(token) is None, "no session lives longer, however busy"

    token = sessions.begin(lan, "vi")
    sessions.end(token)
    assert sessions.find(token) is None
    token = sessions.begin(lan, "vi")
    users.put("lan", "viewer", PASSWORD)
    found = sessions.find(token)
    assert found is not None and found.user.role == "viewer", "the file says what they may do now"
    users.remove("lan")
    assert sessions.find(token) is None and found.over


def test_guessing_is_slow() -> None:
    clock = Clock()
    door = Doorkeeper(clock)
    for _ in range(TRIES):
        assert door.lets("lan")
        door.was_wrong("lan")
    assert not door.lets("lan") and door.lets("minh")
    clock.now += WINDOW + 1
    assert door.lets("lan")
    for n in range(100):
        door.was_wrong(f"name {n}")
    assert not door.lets("minh"), "nor by one try for each of many names"


# -- four eyes


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (User("lan", "tracer"), User("minh", "supervisor"), None),
        (User("minh", "supervisor"), User("lan", "tracer"), None),
        (User("minh", "supervisor"), User("hoa", "supervisor"), None),
        (User("minh", "supervisor"), User("minh", "supervisor"), "four_eyes"),
        (User("lan", "tracer"), User("an", "tracer"), "one_supervisor"),
        (User("lan", "tracer"), User("an", "viewer"), "one_supervisor"),
        (User("minh", "supervisor"), User("an", "auditor"), "one_supervisor"),
    ],
)
def test_two_persons_one_of_them_a_supervisor(tmp_path: Path, first: User, second: User, why: str | None) -> None:
    proposals = Proposals(tmp_path)
    with pytest.raises(NotAllowed, match="not_proposed"):
        proposals.second("C1", second)
    proposals.propose("C1", first, "2026-01-05T08:00:00+07:00", "a note")
    with pytest.raises(NotAllowed, match="proposed_already"):
        proposals.propose("C1", second if second.role == "supervisor" else first, "2026-01-05T08:00:00+07:00", "")
    kept = Proposals(tmp_path)  # a page that was started again
    if why is None:
        assert kept.second("C1", second).by == first.name
    else:
        with pytest.raises(NotAllowed, match=why):
            kept.second("C1", second)
    kept.keep_only({"C1", "C2"})
    assert Proposals(tmp_path).of("C1") is not None
    kept.keep_only({"C2"})
    assert Proposals(tmp_path).of("C1") is None, "what was decided elsewhere is not proposed for ever"


def test_only_those_who_trace_propose(tmp_path: Path) -> None:
    for role in ("auditor", "head", "viewer"):
        with pytest.raises(NotAllowed, match="not_your_role"):
            Proposals(tmp_path).propose("C1", User("an", role), "2026-01-05T08:00:00+07:00", "")  # type: ignore[arg-type]


# -- no audit, no answer


class DeadLog:
    async def send(self, records: list[Out]) -> None:
        raise LogDown("not now")


class Untouched:
    """A store that nobody may ask before the audit has its line."""

    async def opened(self) -> Any:
        raise AssertionError("read before it was on record")


class WallClock:
    def now_ms(self) -> int:
        return 1_767_600_000_000


async def test_no_audit_no_answer() -> None:
    looks = Looks(Settings(kafka="127.0.0.1:1", redis="redis://127.0.0.1:1/0"), Untouched())  # type: ignore[arg-type]
    looks._log = DeadLog()  # type: ignore[assignment]
    looks._auditor = Auditor(DeadLog(), WallClock())  # type: ignore[arg-type]
    for ask in (looks.explanation("lan", "0" * 32, "C1"), looks.chain("lan", "C1")):
        with pytest.raises(Away) as away:
            await ask
        assert away.value.why == "not_audited"


async def test_a_decision_that_holds_a_code_is_not_sent() -> None:
    looks = Looks(Settings(kafka="127.0.0.1:1", redis="redis://127.0.0.1:1/0"), Untouched())  # type: ignore[arg-type]
    with pytest.raises(NotAllowed, match="code_in_note"):
        await looks.decide("lan", "case_id", "C1", "release", "call 0912345678")


# -- the board and the ledger


def record(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_the_highest_revision_wins_in_any_order() -> None:
    board = Board()
    board.take("case-status", 3, b"C1", record(case_id="C1", revision=2, state="held", f1=9))
    board.take("case-status", 3, b"C1", record(case_id="C1", revision=1, state="open"))
    assert board.counts()["held"] == 1 and board.partition("C1") == 3
    version = board.version
    board.take("case-status", 3, b"C1", record(case_id="C1", revision=2, state="held", f1=9))
    assert board.version == version, "the same again is nothing"
    board.take("venue-alerts", 3, b"A", record(alert_id="A", revision=1, status="raised", case_id="C1", start="1"))
    board.take("venue-alerts", 3, b"B", record(alert_id="B", revision=1, status="withdrawn", case_id="C1", start="2"))
    assert [alert["alert_id"] for alert in board.alerts("C1")] == ["A"]
    board.take("case-status", 3, b"C1", None)
    assert board.cases() == []
    board.take("exposures", 3, b"X", record(case_id="C9", exposure_id="X"))
    assert time.monotonic() - board.touched_at("C9") < 5


def test_filters_and_orders() -> None:
    records = [
        {"person": "p1aa", "score": 5.0, "band": "low", "minutes": 90, "certainty": "co-presence"},
        {"person": "p1bb", "score": 80.0, "band": "high", "minutes": 20, "episodes": [{"venue_id": "Cho-1"}]},
        {"person": "p1cc", "score": None, "band": None, "minutes": 40},
    ]

    def people(wanted: Wanted) -> list[str]:
        return [r["person"] for r in chosen(records, wanted)]

    assert people(Wanted()) == ["p1bb", "p1aa", "p1cc"], "an F2 has no score and comes last"
    assert people(Wanted(descending=False)) == ["p1aa", "p1bb", "p1cc"]
    assert people(Wanted(sort="minutes")) == ["p1aa", "p1cc", "p1bb"]
    assert people(Wanted(band="high")) == ["p1bb"]
    assert people(Wanted(text="CHO-1 ")) == ["p1bb"] and people(Wanted(text="1a")) == ["p1aa"]
    assert people(Wanted(certainty="co-presence")) == ["p1aa"]


def test_few_persons_are_not_counted_out() -> None:
    assert [few(n) for n in (0, 1, 4, 5, "1234567", None)] == ["0", "<5", "<5", "5", "1.234.567", "0"]
    assert grouped(999) == "999"


def test_every_cell_is_text() -> None:
    made = plain(("<b>",), [("<script>alert(1)</script>",), (None,)])
    assert "<script>" not in made and "&lt;script&gt;" in made and "None" not in made


# -- what is let in


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({}, True),
        ({b"origin": "http://127.0.0.1:9", b"host": "127.0.0.1:9"}, True),
        ({b"origin": "http://127.0.0.1:8", b"host": "127.0.0.1:9"}, False),
        ({b"origin": "https://evil.example", b"host": "127.0.0.1:9"}, False),
        ({b"origin": "null", b"host": "127.0.0.1:9"}, False),
        ({b"sec-fetch-site": "cross-site", b"host": "127.0.0.1:9"}, False),
        ({b"sec-fetch-site": "same-site", b"host": "127.0.0.1:9"}, False),
    ],
)
def test_other_sites_send_nothing(headers: dict[bytes, str], same: bool) -> None:
    assert same_origin(headers) is same


ELSEWHERE = [(b"origin", b"https://evil.example")]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (
            {"type": "http", "method": "POST", "path": "/sign-in", "headers": [(b"origin", b"https://evil.example")]},
            403,
        ),
        ({"type": "http", "method": "POST", "path": "/sign-in", "headers": []}, 200),
        ({"type": "http", "method": "GET", "path": "/_nicegui_ws/socket.io/", "headers": []}, 403),
        ({"type": "http", "method": "GET", "path": "/", "headers": []}, 200),
        ({"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": []}, 1008),
    ],
)
async def test_the_guard(tmp_path: Path, scope: dict[str, Any], status: int) -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})

    async def send(message: Any) -> None:
        sent.append(message)

    guard = Guard(app, Sessions(Users(tmp_path)), lambda port: f"desk_{port}")
    await guard({**scope, "server": ("127.0.0.1", 9)}, None, send)  # type: ignore[arg-type]
    assert sent[0].get("status", sent[0].get("code")) == status
    if status == 200:
        headers = dict(sent[0]["headers"])
        assert headers[b"cache-control"] == b"no-store" and headers[b"x-frame-options"] == b"DENY"
        assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]


# -- words


def test_both_languages_have_every_word_that_the_page_asks_for() -> None:
    folder = Path(words.__file__).parent
    asked = set()
    for file in folder.rglob("*.py"):
        text = file.read_text()
        asked |= set(re.findall(r"""\bw\(["']([\w-]+)["']""", text))
        asked |= set(re.findall(r"""(?:NotAllowed|Away)\(["']([\w-]+)["']\)""", text))
        asked |= set(re.findall(r"""\.say\(["']([\w-]+)["']""", text))
    assert len(asked) > 80
    assert asked <= set(words.WORDS), asked - set(words.WORDS)
    for key, both in words.WORDS.items():
        assert all(both), key
        assert len(set(map(tuple, (sorted(re.findall(r"\{\w+\}", text)) for text in both)))) == 1, key


def test_reasons_of_pieces_are_told_in_vietnamese() -> None:
    told = (Path(__file__).parents[2] / "streams/rules/told.py").read_text()
    said = re.findall(r"""because \+?= f?"([^"]+)"|steps, because = .*?f?"([^"]+)"$""", told, re.M)
    texts = [re.sub(r"\{[^}]+\}", "7", a or b) for a, b in said]
    assert len(texts) >= 7
    for text in texts:
        assert not re.search(r"\b(the|they|scan|scanned|no)\b", words.because("vi", text)), text
        assert words.because("en", text) == text
