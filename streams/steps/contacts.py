"""From the case's pieces to everybody's exposures: which scans to read, and what the rules make of them.

The reach of a scan, which decides how far to read and to watch: no piece is longer than the venue's `reach` R (its
longest dwell or stay, staff figures included), so a piece that touches [s, e) hangs on a scan of its venue in
[s - R, e + R]. What that piece becomes hangs on the person's scans at most R later, and at most R, a staff dwell and
`conflict_seconds` earlier; on whole local days, since shared cards are told by the day (rule 2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from streams.rules.clusters import PRE_INFECTIOUS_DAYS
from streams.rules.days import DAY, LOCAL_OFFSET
from streams.rules.distinct import distinct
from streams.rules.exposure import ExposureTable, exposures
from streams.rules.pieces import PieceTable, VenueFigures, pieces
from streams.rules.policy import Policy
from streams.rules.scans import ScanTable, distinct_unvoided, shared
from streams.rules.spans import merged
from streams.state.layout import I64, U64, Mask, Records, token_bytes, tokens_of
from streams.state.people import PeopleTable
from streams.state.spans import Span
from streams.state.venues import VenueTable

LONGEST = 1440 * 60  # messages.md: no dwell or stay is longer than 1,440 minutes


class PersonDays(NamedTuple):
    """Pairs to read, and for each person (uint64, once) the first and last local day that matter."""

    person: U64
    day: I64
    persons: U64
    first_day: I64
    last_day: I64


class Scene(NamedTuple):
    """Scans of some persons made ready for the rules: token of each dense index, pieces, figures of the venues.

    `scans` as the rules have them: distinct, unvoided, unerased; `shared` = days (local) on which a code was shared.
    """

    persons: U64
    venues: U64
    scans: ScanTable
    shared: int
    pieces: PieceTable
    figures: VenueFigures


def local_day(second: I64 | int) -> I64:
    return np.asarray((np.asarray(second, np.int64) + LOCAL_OFFSET) // DAY)


def days_between(first: int, last: int) -> I64:
    return np.arange(first, last + 1, dtype=np.int64)


def case_days(origin: int, window: tuple[int, int], policy: Policy) -> I64:
    """The local days whose scans of the case's own person decide its pieces within the window, and before (clusters).

    `origin` = onset, or the sample.
    """
    begin = min(window[0], origin - PRE_INFECTIOUS_DAYS * DAY)
    back = LONGEST + policy.staff_dwell + policy.conflict_seconds
    return days_between(int(local_day(begin - LONGEST - back)), int(local_day(window[1] + 2 * LONGEST)))


def covering_days(now: int, policy: Policy) -> tuple[int, int]:
    """First and last local day whose scans decide the pieces that cover a second, or soon will (clock tolerance)."""
    back = 2 * LONGEST + policy.staff_dwell + policy.conflict_seconds
    return int(local_day(now - back)), int(local_day(now + policy.clock_tolerance + LONGEST))


def one_person(token: bytes, days: I64, people: PeopleTable) -> PersonDays:
    """These days of all codes of one person."""
    codes = tokens_of(b"".join(sorted(people.members([token]))))
    n = len(codes)
    first, last = np.full(n, days[0]), np.full(n, days[-1])
    return PersonDays(np.repeat(codes, len(days)), np.tile(days, n), codes, first, last)


def scene(records: Records, owner: U64, table: VenueTable, people: PeopleTable, policy: Policy) -> Scene:
    """Scans as read (`owner[i]` = code of pair i) → pieces of all their persons by rules 2 and 3."""
    token = owner[records.owner]
    counts = np.ones(len(token), bool)
    if people.any_erased:
        counts = records.second > people.erased_until(token)
    token = token[counts]
    persons, person = np.unique(people.person_of(token), return_inverse=True)
    _, code = np.unique(token, return_inverse=True)
    venues, venue = np.unique(records.other[counts], return_inverse=True)
    scans = distinct_unvoided(
        ScanTable(
            person=person.astype(np.int64),
            venue=venue.astype(np.int64),
            second=records.second[counts],
            out=records.out[counts],
            staff=records.staff[counts],
            void=records.void[counts],
            code=code.astype(np.int64),
        )
    )
    cards = shared(scans, policy.shared_code_limit) if len(scans) else np.zeros(0, bool)
    days = len(distinct(local_day(scans.second[cards]))) if cards.any() else 0
    figures = figures_of(venues, table, policy)
    return Scene(persons, venues, scans, days, pieces(scans.take(~cards), figures, policy), figures)


def figures_of(venues: U64, table: VenueTable, policy: Policy) -> VenueFigures:
    """Figures of venues by token; an unregistered one is of type `other` (rule 1)."""
    rows = [table.by_token.get(bytes(token)) for token in token_bytes(venues)]
    return VenueFigures.of(
        policy,
        types=[row.type if row else "other" for row in rows],
        dwell_minutes=[row.dwell if row else None for row in rows],
        max_stay_minutes=[row.max_stay if row else None for row in rows],
        linger_minutes=[row.linger if row else None for row in rows],
    )


def case_spans(case: Scene, window: tuple[int, int], policy: Policy) -> list[Span]:
    """Where a scan matters to this case. `case` holds one person; all its venues are named, some with an empty span."""
    own = case.pieces.cut(*window)
    return spans_around(case, own.venue, own.start, own.end, policy)


def spans_around(scene: Scene, venue: I64, start: I64, end: I64, policy: Policy) -> list[Span]:
    """Where a scan can make somebody be at venue[i] during [start[i], end[i]) or while the room is risky after it. All
    venues of the scene are named, some with an empty span: their figures matter, their scans do not."""
    spans = [Span(bytes(token), 0, 0) for token in token_bytes(scene.venues)]
    reach = scene.figures.reach[venue]
    low = start - reach - policy.staff_dwell - policy.conflict_seconds
    high = end + scene.figures.linger[venue] + reach + policy.conflict_seconds + 1
    joined = merged(venue, np.zeros(len(venue), np.int64), low, high)
    tokens = token_bytes(scene.venues[venue[joined.order][joined.first]])
    ends = zip(joined.start.tolist(), joined.end.tolist(), strict=True)
    spans += [Span(bytes(token), first, last) for token, (first, last) in zip(tokens, ends, strict=True)]
    return spans


def venue_days(spans: list[Span]) -> tuple[U64, I64]:
    """(venue, local day) pairs of the venue side that hold every scan of the spans."""
    pairs = {
        (int.from_bytes(span.venue), day)
        for span in spans
        if span.end > span.start
        for day in range(int(local_day(span.start)), int(local_day(span.end - 1)) + 1)
    }
    ordered = sorted(pairs)
    return np.array([v for v, _ in ordered], np.uint64), np.array([d for _, d in ordered], np.int64)


def candidates(
    anchors: Records,
    venue: U64,
    spans: list[Span],
    case: Scene,
    own: U64,
    people: PeopleTable,
    policy: Policy,
    days_back: int,
) -> PersonDays:
    """Who scanned within a span (not the case's own codes), and which of their days decide their pieces there."""
    near = _inside(venue[anchors.owner], anchors.second, spans)
    near &= ~anchors.void & ~np.isin(anchors.other, own)
    return days_around(anchors, venue, near, case, people, policy, days_back)


def days_around(
    anchors: Records, venue: U64, near: Mask, case: Scene, people: PeopleTable, policy: Policy, days_back: int
) -> PersonDays:
    """The days that decide what the scans `near` (a mask) mean, of all codes of their persons."""
    reach = case.figures.reach[np.searchsorted(case.venues, venue[anchors.owner[near]])]
    second = anchors.second[near]
    first = local_day(second - reach - days_back)
    last = local_day(second + reach + policy.conflict_seconds)
    return person_days(anchors.other[near], first, last, people)


def _inside(venue: U64, second: I64, spans: list[Span]) -> Mask:
    """Which (venue, second) lie in one of the spans."""
    live = [span for span in spans if span.end > span.start]
    if not live:
        return np.zeros(len(venue), bool)
    names, place = np.unique(tokens_of(b"".join([span.venue for span in live])), return_inverse=True)
    start, end = np.array([span.start for span in live], np.int64), np.array([span.end for span in live], np.int64)
    union = merged(place, np.zeros(len(place), np.int64), start, end)
    group = place[union.order][union.first]
    there = np.minimum(np.searchsorted(names, venue), len(names) - 1)
    last = np.searchsorted((group << 35) + union.start, (there << 35) + second, side="right") - 1
    found = (last >= 0) & (group[last] == there) & (second < union.end[last])
    return np.asarray(found & (names[there] == venue))


def all_days(persons: U64, spans: list[Span], people: PeopleTable, days_back: int) -> PersonDays:
    """The same for persons who are asked for by name: every day near a span."""
    live = [span for span in spans if span.end > span.start]
    if not live or not len(persons):
        empty = np.empty(0, np.int64)
        return PersonDays(np.empty(0, np.uint64), empty, np.empty(0, np.uint64), empty, empty)
    first = np.concatenate([local_day(np.array([s.start - LONGEST - days_back for s in live]))] * len(persons))
    last = np.concatenate([local_day(np.array([s.end + LONGEST for s in live]))] * len(persons))
    return person_days(np.repeat(persons, len(live)), first, last, people)


def both(a: PersonDays, b: PersonDays) -> PersonDays:
    """What is to be read of either."""
    return _distinct(np.concatenate([a.person, b.person]), np.concatenate([a.day, b.day]))


def person_days(person: U64, first: I64, last: I64, people: PeopleTable) -> PersonDays:
    """Ranges of days per code → each (code, day) once for all codes of these persons, and the whole range per code."""
    person, which = people.expanded(person)
    first, last = first[which], last[which]
    length = last - first + 1
    each = np.repeat(np.arange(len(person)), length)
    day = first[each] + np.arange(len(each)) - np.repeat(np.cumsum(length) - length, length)
    return _distinct(person[each], day)


def _distinct(person: U64, day: I64) -> PersonDays:
    order = np.lexsort((day, person))
    p, d = person[order], day[order]
    fresh = np.ones(len(p), bool)
    fresh[1:] = (p[1:] != p[:-1]) | (d[1:] != d[:-1])
    p, d = p[fresh], d[fresh]
    another = np.ones(len(p), bool)
    another[1:] = p[1:] != p[:-1]
    begin = np.flatnonzero(another)
    ends = np.append(begin[1:], len(p)) - 1
    return PersonDays(p, d, p[begin], d[begin], d[ends] if len(p) else d)


def exposures_to(
    case: Scene, others: Scene, window: tuple[int, int], policy: Policy, names: dict[bytes, str]
) -> tuple[ExposureTable, U64]:
    """Rules 5 over all contacts at once. Venues of both sides get one numbering; returns the table and its venues."""
    venues, place = np.unique(np.concatenate([case.venues, others.venues]), return_inverse=True)
    here, there = place[: len(case.venues)], place[len(case.venues) :]
    at_case = np.zeros(len(venues), bool)
    at_case[here] = True
    theirs = others.pieces.take(at_case[there][others.pieces.venue]) if len(others.pieces) else others.pieces
    figures = _merged_figures(len(venues), case, here, others, there)
    ids = [names.get(bytes(t), "") for t in token_bytes(venues)]
    order = np.argsort(np.argsort(np.array(ids, dtype=object))) if ids else np.empty(0, np.int64)
    table = exposures(
        case.pieces.with_venue(here[case.pieces.venue]),
        theirs.with_venue(there[theirs.venue]),
        window,
        figures,
        policy,
        order.astype(np.int64),
    )
    return table, venues


def _merged_figures(count: int, case: Scene, here: I64, others: Scene, there: I64) -> VenueFigures:
    merged = VenueFigures.empty(count)
    merged.fill(there, others.figures)
    merged.fill(here, case.figures)
    return merged
