"""Pseudonyms back to codes, for those who may: the look is on record before it is answered (rules 2 and 10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from schemas.audit import Outcome
from streams.ports import Store
from streams.rules.codes import pseudonym_digest
from streams.state import vault
from streams.state.people import PeopleTable
from streams.state.vault import WrongBox, WrongKey
from streams.steps.audit import Auditor, Entry

Members = Callable[[Sequence[bytes]], Awaitable[Mapping[bytes, Sequence[bytes]]]]
"""Digests → those of all codes that belong to each one's person (rule 2, links), its own among them."""


class Answer(NamedTuple):
    """`codes`: canonical, of all the person's codes that are kept; empty when `trouble` says why there is none."""

    pseudonym: str
    codes: tuple[str, ...]
    trouble: str | None = None


async def alone(digests: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """Every code for itself: as long as nobody linked any."""
    return {digest: [digest] for digest in digests}


async def linked(store: Store) -> Members:
    """By the links that stand now."""
    people = PeopleTable()
    await people.refresh(store)

    async def members(digests: Sequence[bytes]) -> dict[bytes, list[bytes]]:
        return {digest: sorted(people.codes_of(digest)) for digest in digests}

    return members


async def reidentify(
    store: Store,
    auditor: Auditor,
    open_: Callable[[bytes], bytes],
    pseudonyms: Sequence[str],
    *,
    by: str,
    reason: str,
    case_id: str | None = None,
    members: Members = alone,
    escrow: bool = False,
) -> list[Answer]:
    """One answer a pseudonym, in order. `open_` is of the desk's key, or with `escrow` of the escrow's.

    Raises ValueError for what is no pseudonym (before anything is written), CodeInAudit and NotAudited; in all these
    cases no box was opened.

    A look that finds nothing is a look too, and leaves a line. Sealed boxes are fetched before the lines are written,
    so that these can say what was found; what is in them is read only after.
    """
    digests = [pseudonym_digest(text) for text in pseudonyms]
    classes = await members(digests)
    entries = await vault.read(store, sorted({code for group in classes.values() for code in group}))
    outcomes = [_outcome([entries.get(code) for code in classes[digest]]) for digest in digests]
    await auditor.write_all(
        [
            Entry("reidentify", by, pseudonym, reason, outcome, case_id)
            for pseudonym, outcome in zip(pseudonyms, outcomes, strict=True)
        ]
    )
    answers = []
    for pseudonym, digest, outcome in zip(pseudonyms, digests, outcomes, strict=True):
        if outcome == "done":
            kept = [(code, entries[code]) for code in classes[digest] if code in entries]
            boxes = [(code, entry.escrow if escrow else entry.desk) for code, entry in kept]
            answers.append(_open(pseudonym, boxes, open_))
        else:
            words = "its code was erased" if outcome == "destroyed" else "the vault does not know it"
            answers.append(Answer(pseudonym, (), words))
    return answers


def _outcome(entries: Sequence[vault.Entry | None]) -> Outcome:
    if any(entry is not None and not entry.destroyed for entry in entries):
        return "done"
    return "destroyed" if any(entry is not None for entry in entries) else "unknown"


def _open(pseudonym: str, boxes: Sequence[tuple[bytes, bytes | None]], open_: Callable[[bytes], bytes]) -> Answer:
    try:
        codes = [vault.opened(box, open_, digest) for digest, box in boxes if box is not None]
    except (WrongKey, WrongBox) as wrong:
        return Answer(pseudonym, (), str(wrong))
    if not codes:
        return Answer(pseudonym, (), "its code was kept while no escrow key was set")
    return Answer(pseudonym, tuple(sorted(codes)))
