"""What is known of persons beyond their scans: which codes are one person, and which scans were erased.

    tv:{people}:rows|log|version   a replicated table of facts; each row's key says all:
        L a b at      codes a and b (pseudonyms, hex) are one person, said at `at` (seconds, as all times here)
        U a at        a's links made up to `at` are undone
        E a at        the scans of a's person up to `at` are erased
        H a ground at, h a ground at   a legal hold begins, ends

Facts only (architecture.md, section 2): who is one person and what is erased is worked out from them, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from streams.rules.classes import Code, Links
from streams.rules.codes import pseudonym_text
from streams.rules.distinct import within
from streams.state.layout import I64, U64, tokens_of
from streams.state.table import Table

LINK, UNLINK, ERASE, HOLD, UNHOLD = "L", "U", "E", "H", "h"
NEVER = np.iinfo(np.int64).min


class _Arrays(NamedTuple):
    """Tokens that are linked, and by which each goes; tokens of which something is erased, and up to which second."""

    linked: U64
    least: U64
    erased: U64
    until: I64


class PeopleTable(Table[bytes]):
    """The worker's copy. Tokens are the first 8 bytes of pseudonyms, as in the graph."""

    def __init__(self) -> None:
        super().__init__("people", lambda _field, row: row)
        self.links = Links()
        self._erases: dict[Code, set[int]] = {}
        self._holds: dict[Code, dict[str, list[tuple[int, bool]]]] = {}
        self._full: dict[bytes, Code] = {}
        self._goes_by: dict[bytes, bytes] = {}
        self._until_of: dict[bytes, int] = {}
        self._arrays: _Arrays | None = None

    def take(self, reply: list[bytes]) -> set[str]:
        changed = super().take(reply)
        for field in changed:
            self._learn(field)
        if changed:
            self._index(changed)
        return changed

    def concerned(self, changed: Iterable[str]) -> set[bytes]:
        """Tokens of everybody whom rows can concern (as `refresh` names them)."""
        return {member[:8] for field in changed for member in self.links.component(_code(field))}

    def _learn(self, field: str) -> None:
        kind, *words = field.split(" ")
        code = bytes.fromhex(words[0])
        self._full[code[:8]] = code
        if kind == LINK:
            other = bytes.fromhex(words[1])
            self._full[other[:8]] = other
            self.links.link(code, other, int(words[2]))
        elif kind == UNLINK:
            self.links.unlink(code, int(words[1]))
        elif kind == ERASE:
            self._erases.setdefault(code, set()).add(int(words[1]))
        else:
            self._holds.setdefault(code, {}).setdefault(words[1], []).append((int(words[2]), kind == HOLD))

    def _index(self, changed: set[str]) -> None:
        """Work out anew whoever a row can concern, and nobody else: a country has a million links and erasures, and
        each new one had all of them worked out in every worker."""
        concerned: set[Code] = set()
        linked: set[Code] = set()
        for field in changed:
            code, of_links = _code(field), field[0] in (LINK, UNLINK)
            if code not in concerned:
                concerned |= self.links.component(code)
            if of_links and code not in linked:
                linked |= self.links.component(code)
        while linked:
            members = self.links.members(next(iter(linked)))
            first = representative(members)
            self._goes_by.update({member[:8]: first[:8] for member in members})
            linked -= members
        for code in concerned:
            self._until_of.pop(code[:8], None)
        for code in concerned & self._erases.keys():
            for at in self._erases[code]:
                if not self.on_hold(code, at):
                    for member in self.links.members(code, at):
                        self._until_of[member[:8]] = max(self._until_of.get(member[:8], NEVER), at)
        self._arrays = None

    def _sorted(self) -> _Arrays:
        """To look many tokens up at once; only who was linked or erased is in them."""
        if self._arrays is None:
            linked, erased = sorted(self._goes_by), sorted(self._until_of)
            self._arrays = _Arrays(
                tokens_of(b"".join(linked)),
                tokens_of(b"".join([self._goes_by[token] for token in linked])),
                tokens_of(b"".join(erased)),
                np.array([self._until_of[token] for token in erased], np.int64),
            )
        return self._arrays

    # -- who is who

    def person_of(self, tokens: U64) -> U64:
        """The token by which each token's person goes (rule 2: the least of their pseudonyms)."""
        arrays = self._sorted()
        return _looked_up(tokens, arrays.linked, arrays.least, tokens)

    def members(self, tokens: Iterable[bytes]) -> set[bytes]:
        """All tokens of the persons that these belong to."""
        found = set()
        for token in tokens:
            code = self._full.get(token)
            found |= {token} if code is None else {member[:8] for member in self.links.members(code)}
        return found

    def expanded(self, tokens: U64) -> tuple[U64, I64]:
        """(token, i): every token of the person of tokens[i]. One that is linked to none comes out as it went in."""
        if not self._goes_by:
            return tokens, np.arange(len(tokens))
        linked = within(tokens, self._sorted().linked)
        which, rest = [tokens[~linked]], [np.flatnonzero(~linked)]
        known: dict[int, U64] = {}  # one is asked for once for each place of the case
        for i in np.flatnonzero(linked).tolist():
            token = int(tokens[i])
            if token not in known:
                known[token] = tokens_of(b"".join(sorted(self.members([token.to_bytes(8)]))))
            which.append(known[token])
            rest.append(np.full(len(known[token]), i))
        return np.concatenate(which), np.concatenate(rest).astype(np.int64)

    def codes_of(self, code: Code) -> set[Code]:
        """All codes of the person that this one belongs to."""
        return self.links.members(code)

    def ever(self, code: Code) -> set[Code]:
        """Everybody who is or was one person with this one."""
        return self.links.component(code)

    def full(self, token: bytes) -> Code | None:
        """The pseudonym of a token that a fact here names."""
        return self._full.get(token)

    # -- what is erased

    def erased_until(self, tokens: U64) -> I64:
        """Scans of a token up to this second (UTC, included) never count; NEVER where nothing is erased."""
        arrays = self._sorted()
        return _looked_up(tokens, arrays.erased, arrays.until, np.full(len(tokens), NEVER, np.int64))

    @property
    def any_erased(self) -> bool:
        return bool(self._until_of)

    def is_erased(self, code: Code) -> bool:
        return code[:8] in self._until_of

    def erased_codes(self) -> set[Code]:
        """All codes of which something is erased."""
        return {self._full[token] for token in self._until_of}

    def on_hold(self, code: Code, at: int) -> bool:
        """Whether a legal hold on one of the person's codes stands at a moment. An unhold ends those of its ground
        before it; of the same moment it does not: what is in doubt is not destroyed."""
        for member in self.links.members(code, at):
            for events in self._holds.get(member, {}).values():
                before = [event for event in events if event[0] <= at]
                if before:
                    latest = max(when for when, _ in before)
                    if any(begins for when, begins in before if when == latest):
                        return True
        return False


def _code(field: str) -> Code:
    """The (first) code that a row is about; a link's second one is in the same component."""
    return bytes.fromhex(field.split(" ", 2)[1])


def representative(codes: Iterable[Code]) -> Code:
    """By the order of the texts, which is not that of the bytes."""
    return min(codes, key=pseudonym_text)


def _looked_up(tokens: U64, keys: U64, values: np.ndarray, default: np.ndarray) -> np.ndarray:
    if not len(keys):
        return default
    at = np.minimum(np.searchsorted(keys, tokens), len(keys) - 1)
    return np.where(keys[at] == tokens, values[at], default)


def row_key(kind: str, *words: bytes | str | int) -> str:
    """The field of a fact."""
    return " ".join([kind, *(w.hex() if isinstance(w, bytes) else str(w) for w in words)])
