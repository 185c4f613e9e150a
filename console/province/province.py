"""One made-up province, day by day, as the lines of NDJSON files."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from console.province.cases import case_messages, choose_cases
from console.province.flaws import GUARD, PAPER, Scans, scans_of_stays
from console.province.people import People, make_people
from console.province.routines import Stays, stays_of_day
from console.province.venues import Venues, make_venues

_EPOCH = datetime.date(1970, 1, 1)
_LOCAL = 25_200
_DAY = 86_400
MODES = ("poster", "guard", "paper")


@dataclass(frozen=True)
class Plan:
    """What `truyvet simulate` was asked for. `start` is the first local day."""

    people: int
    venues: int
    days: int
    seed: int
    start: datetime.date
    cases: int

    @property
    def first_day(self) -> int:
        return (self.start - _EPOCH).days


class Province:
    """Venues and people of a plan; `scan_lines` and `case_lines` may be asked for in any order, any number of times."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.venues: Venues = make_venues(plan.seed, plan.venues, plan.people)
        self.people: People = make_people(plan.seed, plan.people, self.venues)

    def stays(self, day: int) -> Stays:
        return stays_of_day(self.plan.seed, day, self.people, self.venues)

    def venue_lines(self) -> list[bytes]:
        """`venues` messages, registered a month before the first day."""
        registered = (_midnight(self.plan.first_day) - 30 * _DAY) * 1000
        return [_json(row) for row in self.venues.messages(registered)]

    def scan_lines(self) -> Iterator[list[bytes]]:
        """`scans` messages, a day at a time, in the order of arrival."""
        for day in range(self.plan.first_day, self.plan.first_day + self.plan.days):
            scans = scans_of_stays(self.plan.seed, day, self.stays(day), self.people, self.venues)
            yield _scan_lines(day, scans, self.people, self.venues)

    def case_lines(self) -> list[bytes]:
        """`cases` messages of persons who were out on the last day."""
        last = self.plan.first_day + self.plan.days - 1
        chosen = choose_cases(self.plan.seed, self.plan.cases, self.stays(last), self.people)
        label = f"{_EPOCH + datetime.timedelta(days=last):%Y%m%d}-{self.plan.seed}"
        return [_json(row) for row in case_messages(self.plan.seed, chosen, self.people, _midnight(last), label)]


def _midnight(day: int) -> int:
    """UTC second at which local day number `day` begins (spec: Asia/Ho_Chi_Minh, UTC+7 without summer time)."""
    return day * _DAY - _LOCAL


def _json(row: dict[str, Any]) -> bytes:
    return msgspec.json.encode(row)


def _scan_lines(day: int, scans: Scans, people: People, venues: Venues) -> list[bytes]:
    """One line a scan. Gateways write times in the three ways that the contract allows, each always in its own."""
    date = (_EPOCH + datetime.timedelta(days=day)).isoformat()
    midnight = _midnight(day)
    # JSON of the codes once, not once a scan: they are nearly all of a scan's text.
    codes = [(_json_text(a), _json_text(b)) for a, b in people.codes]
    clock = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(_DAY)]
    lines: list[bytes] = []
    columns = (column.tolist() for column in scans)
    for number, (person, venue, second, out, staff, mode, void, twin) in enumerate(zip(*columns, strict=True)):
        if twin:
            lines.append(lines[-1])
            continue
        if mode == GUARD:
            gateway, time = f"guard-{venue + 1:05d}", f'"{date}T{clock[second]}+07:00"'
        elif mode == PAPER:
            gateway, time = f"paper-{int(venues.commune[venue]):03d}", str((midnight + second) * 1000)
        else:
            # Phones: milliseconds with a fraction, which the pipeline cuts off.
            gateway, time = f"app-{person % 8}", str((midnight + second) * 1000 + number % 1000)
        direction = ',"direction":"out"' if out else ',"direction":"in"' if mode else ""
        role = ',"role":"staff"' if staff else ""
        undo = ',"void":true' if void else ""
        # A guard's device reads the card as it is printed; a phone sends the code that its owner registered with.
        code = codes[person][1 if mode == GUARD and person % 3 == 0 else 0]
        lines.append(
            (
                f'{{"scan_id":"{date}-{number:07d}","venue_id":"{venues.ids[venue]}","person":{code},"scanned_at":{time},'
                f'"gateway_id":"{gateway}"{direction}{role},"mode":"{MODES[mode]}"{undo}}}'
            ).encode()
        )
    return lines


def _json_text(text: str) -> str:
    return msgspec.json.encode(text).decode()
