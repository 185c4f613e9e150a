"""Where everybody is on one day: stays at venues, from habits, shifts and chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from console.province.draws import Draws, Ints, Mask
from console.province.kinds import HOUR, INDEX, KINDS
from console.province.people import HOME, PUPIL, TRAVELLER, WORKER, People
from console.province.venues import Venues, choose

MINUTE = 60
_TRAVEL = 5 * MINUTE
_CLOSED_AT_WEEKENDS = ("office", "school", "enterprise")


class Stays(NamedTuple):
    """One entry a stay: person, venue, seconds of the local day (an end may lie in the next), 1 = there as staff."""

    person: Ints
    venue: Ints
    start: Ints
    end: Ints
    staff: Ints


class _Outing(NamedTuple):
    """One thing that people may do in a day. `chances` (of 10,000): at home, working, at school, travelling."""

    kinds: tuple[str, ...]
    earliest: int
    latest: int
    chances: tuple[int, int, int, int]


_MORNING = (
    _Outing(("market",), 5 * HOUR, 6 * HOUR, (5_500, 2_600, 500, 1_500)),
    _Outing(("restaurant", "shop"), 6 * HOUR, 7 * HOUR, (3_500, 4_500, 3_500, 7_000)),
    _Outing(("shop", "market", "other", "health", "worship"), 8 * HOUR, 10 * HOUR, (7_500, 4_000, 1_500, 5_000)),
    _Outing(
        ("shop", "supermarket", "health", "tourist_site", "market"), 10 * HOUR, 11 * HOUR, (5_500, 2_500, 1_500, 7_000)
    ),
)
_AFTERNOON = (
    _Outing(("restaurant",), 11 * HOUR + 1800, 12 * HOUR + 1800, (2_500, 1_500, 1_500, 7_000)),
    _Outing(
        ("shop", "enterprise", "office", "other", "health"), 13 * HOUR + 1800, 15 * HOUR, (6_000, 2_500, 3_500, 4_000)
    ),
    _Outing(("shop", "market", "worship", "tourist_site"), 15 * HOUR, 16 * HOUR, (4_500, 2_000, 4_000, 6_000)),
    _Outing(("supermarket", "shop", "market"), 16 * HOUR, 18 * HOUR, (5_000, 6_500, 5_500, 6_000)),
    _Outing(("restaurant", "shop", "shopping_centre", "vehicle"), 18 * HOUR, 19 * HOUR, (4_500, 6_000, 5_500, 8_000)),
    _Outing(
        ("bar", "shopping_centre", "event", "worship", "restaurant", "shop"),
        19 * HOUR,
        21 * HOUR,
        (3_000, 4_500, 3_000, 6_000),
    ),
)


def stays_of_day(seed: int, day: int, people: People, venues: Venues) -> Stays:
    """All stays of local day number `day` (since 1970-01-01), each person's in order and never two at once."""
    draws = Draws(seed, 3, day)
    return _Day(draws, (day + 3) % 7, people, venues).walk()


class _Day:
    def __init__(self, draws: Draws, weekday: int, people: People, venues: Venues) -> None:
        self.draws, self.people, self.venues = draws, people, venues
        self.count = len(people.codes)
        night = people.begins + people.lasts + 40 * MINUTE - 24 * HOUR
        self.free = np.where(people.life == WORKER, np.maximum(night, 0), 0)
        """the first second at which a person can be somewhere new (after last night's shift, if there was one)"""
        self.parts: list[Stays] = []
        kind = venues.kind[people.place]
        weekend = weekday >= 5
        shut = (
            np.isin(kind, [INDEX[name] for name in _CLOSED_AT_WEEKENDS]) if weekend else np.zeros(self.count, np.bool_)
        )
        self.busy: Mask = np.isin(people.life, (WORKER, PUPIL)) & ~shut & (people.day_off != weekday)
        # Two of a hundred are ill or away even so.
        self.busy &= ~draws.chance(200, self.count)
        late = draws.bell(-8 * MINUTE, 8 * MINUTE, self.count)
        self.begins = np.where(self.busy, people.begins + late, 48 * HOUR)
        self.ends = self.begins + people.lasts + draws.bell(-10 * MINUTE, 30 * MINUTE, self.count)

    def walk(self) -> Stays:
        for outing in _MORNING:
            self._outing(outing)
        self._work()
        self._ride()
        for outing in _AFTERNOON:
            self._outing(outing)
        self._sleep()
        together = Stays(*(np.concatenate(column) for column in zip(*self.parts, strict=True)))
        order = np.lexsort((together.start, together.person))
        return Stays(*(column[order] for column in together))

    def _add(self, who: Ints, venue: Ints, start: Ints, end: Ints, staff: int) -> None:
        self.parts.append(Stays(who, venue, start, end, np.full(len(who), staff, dtype=np.int64)))

    def _outing(self, outing: _Outing) -> None:
        """Some people go to one of the outing's kinds of place, where it does not run into their work."""
        people, draws = self.people, self.draws
        wish = draws.chance(np.array(outing.chances, dtype=np.int64)[people.life], self.count)
        which = draws.below(len(outing.kinds), self.count)
        kind = np.array([INDEX[name] for name in outing.kinds], dtype=np.int64)[which]
        venue = choose(draws, self.venues, kind, people.commune, 8_800)
        habit = draws.chance(6_500, self.count)
        for name, favourite in people.favourite.items():
            venue = np.where(habit & (kind == INDEX[name]), favourite, venue)
        start = np.maximum(draws.between(outing.earliest, outing.latest, self.count), self.free)
        low = np.array([k.visit[0] for k in KINDS], dtype=np.int64)[kind] * MINUTE
        high = np.array([k.visit[1] for k in KINDS], dtype=np.int64)[kind] * MINUTE
        end = start + low + draws.below(high - low, self.count)
        fits = (end + _TRAVEL <= self.begins) | (start >= self.ends + _TRAVEL)
        who = np.flatnonzero(wish & fits & (start <= outing.latest + HOUR) & (venue != people.place))
        self._add(who, venue[who], start[who], end[who], 0)
        self.free[who] = end[who] + _TRAVEL

    def _ride(self) -> None:
        """Who rides the bus waits at a station and sits in a vehicle before work."""
        people, draws = self.people, self.draws
        on = draws.bell(20 * MINUTE, 60 * MINUTE, self.count)
        wait = draws.between(4 * MINUTE, 15 * MINUTE, self.count)
        start = self.begins - on - wait - 3 * MINUTE
        who = np.flatnonzero(self.busy & (people.rides == 1) & (start >= self.free))
        boards = start[who] + wait[who]
        self._add(who, people.favourite["bus_station"][who], start[who], boards, 0)
        self._add(who, people.favourite["vehicle"][who], boards + MINUTE, boards + MINUTE + on[who], 0)
        # Later outings must end before the bus, not before the shift.
        self.begins = self.begins.copy()
        self.begins[who] = start[who]

    def _work(self) -> None:
        """Work or lessons, for some with lunch elsewhere in the middle."""
        people, draws = self.people, self.draws
        begins, ends = self.begins, self.ends
        noon = draws.between(11 * HOUR + 900, 12 * HOUR, self.count)
        eats = draws.between(25 * MINUTE, 70 * MINUTE, self.count)
        restaurant = np.where(
            draws.chance(6_000, self.count),
            people.favourite["restaurant"],
            choose(
                draws, self.venues, np.full(self.count, INDEX["restaurant"]), self.venues.commune[people.place], 9_500
            ),
        )
        long_day = (begins < 9 * HOUR) & (ends > noon + eats + 90 * MINUTE)
        out = self.busy & long_day & draws.chance(4_200, self.count) & (restaurant != people.place)
        for life, staff in ((WORKER, 1), (PUPIL, 0)):
            mine = self.busy & (people.life == life)
            whole = np.flatnonzero(mine & ~out)
            self._add(whole, people.place[whole], begins[whole], ends[whole], staff)
            some = np.flatnonzero(mine & out)
            back = noon[some] + eats[some] + _TRAVEL
            self._add(some, people.place[some], begins[some], noon[some] - _TRAVEL, staff)
            self._add(some, restaurant[some], noon[some], noon[some] + eats[some], 0)
            self._add(some, people.place[some], back, ends[some], staff)

    def _sleep(self) -> None:
        """Travellers, and a few others, check in for the night."""
        people, draws = self.people, self.draws
        lodging = choose(draws, self.venues, np.full(self.count, INDEX["lodging"]), people.commune, 8_000)
        venue = np.where(people.life == TRAVELLER, people.place, lodging)
        guest = (people.life == TRAVELLER) | ((people.life == HOME) & draws.chance(60, self.count))
        start = np.maximum(self.free, draws.between(21 * HOUR, 23 * HOUR, self.count))
        end = 30 * HOUR + draws.between(0, 3 * HOUR, self.count)
        who = np.flatnonzero(guest & (start < 24 * HOUR))
        self._add(who, venue[who], start[who], end[who], 0)
