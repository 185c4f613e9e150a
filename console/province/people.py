"""The people of a made-up province: the code that each shows, where they live and work, what they are fond of.

No code here can be a person's: identity numbers start with 999 (no province has that number), insurance numbers with
the letters ZZ (no such group), and the name in every QR text says that it is made up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from console.province.draws import Draws, Ints
from console.province.kinds import INDEX, KINDS
from console.province.venues import Venues, choose

HOME, WORKER, PUPIL, TRAVELLER = 0, 1, 2, 3
"""What a person does on a weekday."""

FAVOURITES = ("market", "shop", "restaurant", "supermarket", "worship", "bar", "bus_station", "vehicle")
"""Of each of these types a person has one place that they go to most of the time."""

_PRIME = 7_919
_NUMBERS = 10**9


@dataclass(frozen=True)
class People:
    """One entry a person everywhere. Times are seconds of the local day."""

    codes: list[tuple[str, str]]
    """the text that is read most often, and another one for the same code (rule 2): both mean one person"""
    life: Ints
    """HOME, WORKER, PUPIL or TRAVELLER"""
    commune: Ints
    place: Ints
    """where they work, learn or sleep (a traveller's lodging); -1 for HOME"""
    begins: Ints
    """when the shift or the lessons begin"""
    lasts: Ints
    """seconds at the place on a working day"""
    day_off: Ints
    """0 (Monday) … 6; workers of offices and pupils are off at weekends besides"""
    favourite: dict[str, Ints]
    rides: Ints
    """1 = takes the bus to work or school"""


def make_people(seed: int, count: int, venues: Venues) -> People:
    """`count` people who live in the province of `venues`."""
    draws = Draws(seed, 2)
    life = np.array([HOME, WORKER, PUPIL, TRAVELLER], dtype=np.int64)[
        draws.weighted(np.array([33, 46, 19, 2], dtype=np.int64), count)
    ]
    commune = np.minimum(draws.below(venues.communes, count), draws.below(venues.communes, count))
    place = np.full(count, -1, dtype=np.int64)
    workers = np.flatnonzero(life == WORKER)
    place[workers] = _jobs(draws, venues, len(workers))
    for who, name in ((PUPIL, "school"), (TRAVELLER, "lodging")):
        chosen = np.flatnonzero(life == who)
        place[chosen] = choose(draws, venues, _same(name, len(chosen)), commune[chosen], 9_000)
    kind = np.where(place >= 0, venues.kind[place], INDEX["other"])
    begins = np.array([k.opens for k in KINDS], dtype=np.int64)[kind] + draws.bell(-1500, 900, count)
    lasts = np.array([k.shift for k in KINDS], dtype=np.int64)[kind] + draws.bell(-1800, 1800, count)
    shifts = np.isin(kind, [INDEX["factory"], INDEX["health"], INDEX["lodging"]]) & (life == WORKER)
    # Factories, clinics and lodgings run day and night: a third of their people each.
    begins += np.where(shifts, draws.below(3, count) * 8 * 3600, 0)
    lessons = draws.chance(5_000, count)
    lasts = np.where(life == PUPIL, np.where(lessons, 4 * 3600, 9 * 3600) + draws.bell(-600, 600, count), lasts)
    favourite = {name: choose(draws, venues, _same(name, count), commune, 9_200) for name in FAVOURITES}
    rides = (draws.chance(1_400, count) & ((life == WORKER) | (life == PUPIL))).astype(np.int64)
    day_off = draws.below(7, count)
    return People(_codes(draws, seed, count), life, commune, place, begins, lasts, day_off, favourite, rides)


def _same(kind: str, count: int) -> Ints:
    return np.full(count, INDEX[kind], dtype=np.int64)


def _jobs(draws: Draws, venues: Venues, count: int) -> Ints:
    """A workplace for each of `count` workers, in any commune; big kinds of place employ more."""
    size = np.array([k.staff for k in KINDS], dtype=np.int64)[venues.kind] * (venues.crowd + 100)
    return draws.weighted(size, count)


def _codes(draws: Draws, seed: int, count: int) -> list[tuple[str, str]]:
    """Two texts for each person, of the four forms of rule 2; both texts of a person have one canonical code."""
    form = draws.weighted(np.array([60, 30, 8, 2], dtype=np.int64), count).tolist()
    born = draws.between(0, 70 * 365, count).tolist()
    shift = (seed % _NUMBERS) * 104_729 % _NUMBERS
    codes = []
    for person in range(count):
        # A prime with no factor in common with 10**9 makes every number different; the seed moves the whole province.
        number = f"999{(person * _PRIME + shift) % _NUMBERS:09d}"
        name = f"NGUOI MO PHONG {person + 1:06d}"
        year, month, day = 1940 + born[person] // 365, born[person] % 365 // 31 + 1, born[person] % 28 + 1
        date = f"{day:02d}{month:02d}{year}"
        match form[person]:
            case 0:
                codes.append((f"|{name}|{date}|1|{number}|", f"{number}|{name}|{date}|0|{number}|vn"))
            case 1:
                card = f"{number}||{name}|{date}|Nam|Thon Gia Dinh, Xa Mo Phong|01012021"
                codes.append((number, card))
            case 2:
                codes.append((f"ZZ9{number}", f"zz9{number}|{name}|{date}|1|Xa Mo Phong|9999|-"))
            case _:
                codes.append((f"mo-phong:{number}", f" mo-phong:{number} "))
    return codes
