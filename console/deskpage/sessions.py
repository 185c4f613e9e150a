"""Who is signed in. A session is a random token in an HttpOnly, SameSite cookie; all else of it stays here."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from console.deskpage.users import Role, User, Users

IDLE = 30 * 60.0
LONGEST = 12 * 3600.0
"""seconds without anything done, and in all, after which one has to sign in again"""
TRIES, TRIES_OF_ALL = 5, 60
WINDOW = 300.0
"""Wrong passwords for one name, and from everybody, within so many seconds; then nobody is let in by it."""

Clock = Callable[[], float]


@dataclass
class Session:
    """One person at one browser."""

    user: User
    began: float
    seen: float
    language: str = "vi"
    over: bool = False


class Sessions:
    """In memory: after a restart of the page everybody signs in again."""

    def __init__(self, users: Users, clock: Clock = time.monotonic) -> None:
        self.users, self._clock = users, clock
        self._sessions: dict[str, Session] = {}

    def begin(self, user: User, language: str) -> str:
        """A new session; its token. Always a new one: a token from before signing in is worth nothing."""
        now = self._clock()
        for key in [key for key, session in self._sessions.items() if not self._holds(session, now)]:
            del self._sessions[key]
        token = secrets.token_urlsafe(32)
        self._sessions[_key(token)] = Session(user, now, now, language)
        return token

    def find(self, token: str | None) -> Session | None:
        session = self._sessions.get(_key(token)) if token else None
        return session if session is not None and self.alive(session) else None

    def alive(self, session: Session) -> bool:
        """Whether it holds still; and what its user may do is what the file says now."""
        if not self._holds(session, self._clock()):
            session.over = True
            return False
        user = self.users.get(session.user.name)
        if user is None:
            session.over = True
            return False
        session.user = user
        return True

    def _holds(self, session: Session, now: float) -> bool:
        return not session.over and now - session.seen <= IDLE and now - session.began <= LONGEST

    def touch(self, session: Session) -> None:
        """Its user did something. What the page does by itself does not count."""
        session.seen = self._clock()

    def end(self, token: str | None) -> None:
        session = self._sessions.pop(_key(token), None) if token else None
        if session is not None:
            session.over = True


def _key(token: str) -> str:
    # Whoever reads this process's memory dump or a debugger's print cannot use what stands there.
    return hashlib.sha256(token.encode()).hexdigest()


class Doorkeeper:
    """Slows guessing: after TRIES wrong passwords for a name, that name is closed until WINDOW is over."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, list[float]] = {}

    def lets(self, name: str) -> bool:
        now = self._clock()
        self._wrong = {who: at for who, times in self._wrong.items() if (at := [t for t in times if now - t < WINDOW])}
        return len(self._wrong.get(name, ())) < TRIES and sum(map(len, self._wrong.values())) < TRIES_OF_ALL

    def was_wrong(self, name: str) -> None:
        self._wrong.setdefault(name[:64], []).append(self._clock())

    def was_right(self, name: str) -> None:
        self._wrong.pop(name, None)


CASES: frozenset[Role] = frozenset({"tracer", "supervisor"})
AUDIT: frozenset[Role] = frozenset({"auditor"})
FIGURES: frozenset[Role] = frozenset({"tracer", "supervisor", "auditor", "viewer"})
"""Who sees cases and persons' pseudonyms; the audit log; all counters (a head sees those of their organisation)."""


def may_refuse(role: Role) -> bool:
    return role == "supervisor"
