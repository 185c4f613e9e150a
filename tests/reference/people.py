"""Rule 2: several codes of one person; rule 10: erasures and holds. Functions of the set of `people` records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tests.reference.acceptance import Fact
from tests.reference.codes import canonical, pseudonym
from tests.reference.fields import local_day
from tests.reference.messages import PeopleRecord


def standing_links(people: Iterable[PeopleRecord]) -> list[tuple[str, str]]:
    """A link stands unless an `unlink` of either code has the same or a later `at`."""
    people = list(people)
    parted: dict[str, int] = {}  # code → its last unlink
    for record in people:
        if record.op == "unlink":
            code = canonical(record.code)
            parted[code] = max(record.at, parted.get(code, record.at))
    links = []
    for link in people:
        if link.op == "link":
            ends = canonical(link.code), canonical(link.same_as or "")
            if not any(end in parted and parted[end] >= link.at for end in ends):
                links.append(ends)
    return links


def linked_with(code: str, links: Sequence[tuple[str, str]]) -> set[str]:
    """All codes of the person of this code: links are undirected and chain."""
    together = {code}
    while True:
        more = {b for link in links for a, b in (link, link[::-1]) if a in together} - together
        if not more:
            return together
        together |= more


def person_of(code: str, links: Sequence[tuple[str, str]], key: bytes) -> str:
    """A person with several codes goes by the least of their pseudonyms."""
    return min(pseudonym(one, key) for one in linked_with(code, links))


def _held(codes: set[str], at: int, said_of: Mapping[str, Sequence[PeopleRecord]]) -> bool:
    """A hold of one of these codes stands at that moment: of one of its grounds the newest hold or unhold is a hold (at
    a tie, the hold). What one court lifts, another may have ordered as well (docs/readings.md)."""
    for code in codes:
        newest: dict[str | None, tuple[int, bool]] = {}
        for record in said_of.get(code, ()):
            if record.op in ("hold", "unhold") and record.at <= at:
                said = record.at, record.op == "hold"
                newest[record.ground] = max(said, newest.get(record.ground, said))
        if any(held for _, held in newest.values()):
            return True
    return False


def erased(scans: Iterable[Fact], people: Iterable[PeopleRecord]) -> set[Fact]:
    """Rule 10: `erase` reaches the scans up to its `at` of all codes linked at that moment, whenever they arrive."""
    people = list(people)
    # Only to find them: a fuzz of a million records has thousands of erasures, and each asked every record.
    links = [p for p in people if p.op in ("link", "unlink")]
    linked = {canonical(code) for p in links for code in (p.code, p.same_as or "")}
    said_of: dict[str, list[PeopleRecord]] = {}
    for record in people:
        said_of.setdefault(canonical(record.code), []).append(record)
    of_code: dict[str, list[Fact]] = {}
    for scan in scans:
        of_code.setdefault(scan.code, []).append(scan)
    gone: set[Fact] = set()
    for erase in people:
        if erase.op != "erase":
            continue
        codes = {canonical(erase.code)}
        if codes & linked:
            codes = linked_with(canonical(erase.code), standing_links(p for p in links if p.at <= erase.at))
        if not _held(codes, erase.at, said_of):
            gone |= {scan for code in codes for scan in of_code.get(code, ()) if scan.second <= erase.at}
    return gone


def without_shared_cards(scans: Iterable[Fact], limit: int) -> set[Fact]:
    """Rule 2: with more than `shared_code_limit` scans of a code on one day, those make no piece and cut none."""
    scans = set(scans)
    count = Counter((scan.code, local_day(scan.second)) for scan in scans)
    return {scan for scan in scans if count[scan.code, local_day(scan.second)] <= limit}
