"""Four eyes: a held case is released by two persons, one of them a supervisor. The first one's word waits here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from console.deskpage.users import User, locked, write_private


class NotAllowed(Exception):
    """`why` is a key of words.py."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Proposal(NamedTuple):
    """`by`, `role`: who proposed the release, and as what; `at`: RFC 3339."""

    by: str
    role: str
    at: str
    note: str


class Proposals:
    """A small file beside the users: a proposal outlives the page's process."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "proposals.json"
        try:
            kept = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            kept = {}
        self._waiting = {case: Proposal(*fields) for case, fields in kept.items()}
        self.version = 0

    def of(self, case_id: str) -> Proposal | None:
        return self._waiting.get(case_id)

    def propose(self, case_id: str, user: User, at: str, note: str) -> None:
        """Raises NotAllowed."""
        if user.role not in ("tracer", "supervisor"):
            raise NotAllowed("not_your_role")
        if case_id in self._waiting:
            raise NotAllowed("proposed_already")
        self._waiting[case_id] = Proposal(user.name, user.role, at, note)
        self._keep()

    def second(self, case_id: str, user: User) -> Proposal:
        """The proposal that `user` may now carry out. Raises NotAllowed."""
        first = self._waiting.get(case_id)
        if first is None:
            raise NotAllowed("not_proposed")
        if first.by == user.name:
            raise NotAllowed("four_eyes")
        if user.role not in ("tracer", "supervisor") or "supervisor" not in (user.role, first.role):
            raise NotAllowed("one_supervisor")
        return first

    def forget(self, case_id: str) -> None:
        """It was carried out, refused, or the case is not held any more."""
        if self._waiting.pop(case_id, None) is not None:
            self._keep()

    def keep_only(self, held: set[str]) -> None:
        """Cases that are held now; a case that is held anew one day is proposed anew."""
        gone = self._waiting.keys() - held
        if gone:
            for case_id in gone:
                del self._waiting[case_id]
            self._keep()

    def _keep(self) -> None:
        self.version += 1
        with locked(self._folder):
            write_private(self._path, json.dumps(self._waiting, ensure_ascii=False))
