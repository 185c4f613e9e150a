"""The messages of a world, drawn one by one: scans, registries, cases, what is said of people, decisions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from tests.reference.codes import canonical, exposure_id, pseudonym
from tests.reference.fields import date_text, local_day, time_text
from tests.reference.policies import Policy as PolicyDict
from tests.simulation.badmessages import bad_record, bad_scan, near_miss

KEY = b"the key of the simulation, 32 characters or more"
MINUTE = 60
DAY = 86400
MIDNIGHT = 18_992 * DAY - 7 * 3600  # a local midnight, 2022-01-01
TYPES = ("shop", "bar", "office", "market", "vehicle", "no such type")


class Message(NamedTuple):
    """One record on its way to an input topic; `timestamp` in ms."""

    topic: str
    key: bytes | None
    value: bytes
    timestamp: int
    headers: tuple[tuple[str, bytes], ...] = ()


# Several ways in which one person's code is read; what differs between them is no part of the code (rule 2).
def forms_of(number: int) -> list[str]:
    twelve = f"{number:012}"
    insurance = f"DN{number:013}"
    return [
        [twelve, f" {twelve}\r\n", f"{twelve}|0|X|01011990|N|Y|02022022"],
        [f"0|X|01011990|1|{twelve}|", f"1|Y||0|{twelve}|Z"],
        [insurance, insurance.lower(), f"{insurance}|X|Y"],
        [f"thẻ {number}", f"the\u0309 {number}", f"\tthẻ {number} "],
    ][number % 4]


class Makers:
    """Draws the messages of one world. Times are seconds UTC."""

    def __init__(self, rng: Random, figures: Sequence[PolicyDict], *, tiny: bool) -> None:
        self.rng, self.figures, self.tiny = rng, figures, tiny
        self.persons = [forms_of(n) for n in rng.sample(range(1, 60), 2 if tiny else rng.randint(3, 6))]
        self.places = [f"v{n}" for n in range(rng.choice((1, 1, 2, 2, 3)))]
        if tiny:
            self.places = self.places[:1]
        self.minutes = 6 if tiny else rng.choice((12, 12, 25, 60))
        # Some worlds lie around a local midnight: shared cards and policies go by the local day.
        self.begin = MIDNIGHT + rng.choice((8 * 3600, 8 * 3600, DAY - self.minutes * 30))
        self.grid = rng.choice((20, 30, 60))
        self.c = figures[0]["scan"]["conflict_seconds"]

    def moment(self) -> int:
        """Mostly on a coarse grid, so that ties are many; a step beside it; c from it; now and then the next day."""
        at = self.begin + self.rng.randrange(self.minutes * MINUTE // self.grid) * self.grid
        kind = self.rng.random()
        if kind < 0.15:
            at += self.rng.choice((-1, 1))
        elif kind < 0.25:
            at += self.rng.choice((self.c - 1, self.c, -self.c))
        elif kind < 0.32:
            at += DAY
        return at

    def time(self, second: int, *, ms: int = 0) -> Any:
        """One of the ways to write a time."""
        kind = self.rng.randrange(4)
        if kind == 0:
            return second * 1000 + ms
        if kind == 1 and ms == 0:
            return time_text(second)
        if kind == 2:
            return time_text(second + 7 * 3600)[:-1] + f".{ms:03}+07:00"
        return time_text(second)[:-1] + f".{ms:03}9Z"

    # -- scans

    def scan(self, person: list[str], second: int, venue: str, direction: str, role: str) -> dict[str, Any]:
        rng = self.rng
        content: dict[str, Any] = {
            "scan_id": f"s{rng.randrange(9)}",
            "venue_id": venue,
            "person": rng.choice(person),
            "scanned_at": self.time(second, ms=rng.choice((0, 0, 999))),
            "gateway_id": f"g{rng.randrange(3)}",
        }
        if direction != "in" or rng.random() < 0.5:
            content["direction"] = direction
        if role != "visitor" or rng.random() < 0.3:
            content["role"] = role
        if rng.random() < 0.1:
            content["mode"] = rng.choice(("guard", "hologram", None))
        if rng.random() < 0.1:
            content["newer_field"] = {"x": [1, None]}
        return content

    def scans(self) -> list[Message]:
        rng = self.rng
        parts: list[tuple[int, dict[str, Any] | None, bytes]] = []  # second, content, bytes
        staff_share = rng.choice((0.0, 0.05, 0.3))
        out_share = rng.choice((0.25, 0.45, 0.6))
        for _ in range(rng.choice((3, 5, 8) if self.tiny else (12, 20, 30, 45))):
            person, second, venue = rng.choice(self.persons), self.moment(), rng.choice(self.places)
            direction = "out" if rng.random() < out_share else "in"
            role = "staff" if rng.random() < staff_share else "visitor"
            content = self.scan(person, second, venue, direction, role)
            parts.append((second, content, as_json(content)))
            if rng.random() < 0.12:  # taken back, in another form of the code
                void = {**self.scan(person, second, venue, direction, role), "void": True}
                parts.append((second, void, as_json(void)))
            if rng.random() < 0.08:  # once more, under another name
                again = self.scan(person, second, venue, direction, role)
                parts.append((second, again, as_json(again)))
        for _ in range(0 if self.tiny else rng.choice((0, 1, 3))):
            good = self.scan(rng.choice(self.persons), self.moment(), rng.choice(self.places), "in", "visitor")
            parts.append((self.begin, None, bad_scan(rng, good)))
        rng.shuffle(parts)
        messages = []
        while parts:
            size = rng.choice((1, 1, 1, 2, 5))
            batch, parts = parts[:size], parts[size:]
            messages.append(self._scan_record(batch, as_array=size > 1 or rng.random() < 0.1))
        if self.tiny:
            return messages
        messages += [self._untimely(early=rng.random() < 0.5) for _ in range(rng.choice((0, 0, 1, 2)))]
        if rng.random() < 0.2:
            messages.append(Message("scans", None, b"[]", self.begin * 1000))
        for _ in range(rng.choice((0, 0, 1, 2))):
            messages.append(self._named(bad_record(rng, messages[0].value), self.begin * 1000 + 1))
        return messages

    def _scan_record(self, batch: list[tuple[int, Any, bytes]], *, as_array: bool) -> Message:
        last = max(second for second, _, _ in batch)
        value = b"[" + b", ".join(body for _, _, body in batch) + b"]" if as_array else batch[0][2]
        # The clock of a terminal may be ahead by the tolerance, which the tolerance must forgive.
        delay = self.rng.choice((0, 1, 5, 3600, -self.tolerance()))
        named = self.rng.random() < 0.05
        headers = (("tv-schema", self.rng.choice((b"scan/1", b"scan/1.3"))),) if named else ()
        return Message("scans", self.gateway_key(), value, (last + delay) * 1000 + self.rng.choice((0, 999)), headers)

    def tolerance(self) -> int:
        return min(policy["scan"]["clock_tolerance"] for policy in self.figures)

    def gateway_key(self) -> bytes | None:
        return self.rng.choice((None, b"g0", b"g1"))

    def _untimely(self, *, early: bool) -> Message:
        """At the edge of what is accepted, or a second past it, under whichever policy holds."""
        second = self.moment()
        content = self.scan(self.rng.choice(self.persons), second, self.rng.choice(self.places), "in", "visitor")
        policy = self.rng.choice(self.figures)
        past = self.rng.choice((0, 1))
        if early:
            stamp = second - policy["scan"]["clock_tolerance"] - past
        else:
            stamp = second + policy["scan"]["retention_days"] * DAY + past
        return Message("scans", None, as_json(content), stamp * 1000 + 999)

    def _named(self, bad: tuple[bytes, tuple[tuple[str, bytes], ...]], ms: int) -> Message:
        value, headers = bad
        return Message("scans", self.gateway_key(), value, ms, headers)

    # -- registries

    def venues(self) -> list[Message]:
        rng = self.rng
        messages = []
        for place in self.places:
            for _ in range(rng.choice((0, 0, 1) if self.tiny else (0, 1, 1, 3))):
                content: dict[str, Any] = {
                    "venue_id": place,
                    "name": rng.choice(("Chợ", "Nhà")),
                    "type": rng.choice(TYPES),
                    "registered_at": self.time(self.begin - rng.choice((0, DAY, 2 * DAY))),
                }
                for name, most in (("dwell_minutes", 12), ("max_stay_minutes", 20), ("linger_minutes", 4)):
                    if rng.random() < 0.4:
                        content[name] = rng.randint(0 if name == "linger_minutes" else 1, most)
                if rng.random() < 0.3:
                    content["status"] = rng.choice(("open", "closed"))
                if rng.random() < 0.7:  # few values, so that ties in it are many
                    content["updated_at"] = self.time(self.begin + rng.randrange(3), ms=rng.choice((0, 1)))
                messages.append(Message("venues", place.encode(), as_json(content), self.begin * 1000))
        if messages and rng.random() < 0.3:
            messages.append(messages[0]._replace(value=near_miss(rng, messages[0].value)))
        return messages

    def cases(self) -> list[Message]:
        rng = self.rng
        messages = []
        for number in range(1 if self.tiny else rng.choice((1, 1, 2, 3))):
            person = rng.choice(self.persons)
            for _ in range(1 if self.tiny else rng.choice((1, 1, 2, 4))):
                content = self.case(f"c{number}", rng.choice((person, person, person, rng.choice(self.persons))))
                messages.append(Message("cases", f"c{number}".encode(), as_json(content), (self.begin + DAY) * 1000))
        if rng.random() < 0.3:
            messages.append(messages[0]._replace(value=near_miss(rng, messages[0].value)))
        return messages

    def case(self, case_id: str, person: list[str]) -> dict[str, Any]:
        rng = self.rng
        sampled = self.begin + rng.choice((0, self.minutes * 30, DAY))
        content: dict[str, Any] = {
            "case_id": case_id,
            "person": rng.choice(person),
            "status": "withdrawn" if rng.random() < 0.15 else "confirmed",
            "sampled_at": self.time(sampled),
            "reported_at": self.time(self.begin + rng.choice((0, DAY, 2 * DAY))),
            "reported_by": "desk",
        }
        if rng.random() < 0.5:
            content["onset_at"] = self.time(sampled + rng.choice((-DAY, -self.minutes * 20, self.minutes * 20, 0, DAY)))
        if rng.random() < 0.2:
            content["isolated_at"] = self.time(self.moment())
        if rng.random() < 0.2:
            content["negative_at"] = self.time(rng.choice((sampled, sampled + 1, self.moment())))
        if rng.random() < 0.6:
            content["updated_at"] = self.time(self.begin + 3 * DAY + rng.randrange(3), ms=rng.choice((0, 1)))
        return content

    def people(self) -> list[Message]:
        """Links that chain, unlinks with ties, vaccinations, erasures and holds. Each record has its own id as its key:
        of records with one key the greatest would win (messages.md), and a fact that once counted would not.

        Erasures come with links but without unlinks, and holds are later than they are. An unlink or a hold from before
        an erasure that arrives after it would bring scans back (rule 0), and they are destroyed (rule 10): only a
        rebuild brings them back (docs/privacy.md). See seed 6000103 of commit 424fa30, seed 948 of commit 93a7e12."""
        rng = self.rng
        found: list[dict[str, Any]] = []
        for _ in range(rng.choice((0, 1, 2, 3))):
            one, other = rng.choice(self.persons), rng.choice(self.persons)
            found.append({"op": "link", "code": rng.choice(one), "same_as": rng.choice(other)})
        found += [{"op": "unlink", "code": rng.choice(rng.choice(self.persons))} for _ in range(rng.choice((0, 0, 1)))]
        for _ in range(rng.choice((0, 1, 2))):
            last = date_text(local_day(self.begin) - rng.choice((13, 14, 15)))
            code = rng.choice(rng.choice(self.persons))
            found.append({"op": "vaccination", "code": code, "doses": rng.choice((1, 2, 2, 3)), "last_dose_on": last})
        if rng.random() < 0.2:
            found = [content for content in found if content["op"] != "unlink"]
            found.append({"op": "erase", "code": rng.choice(rng.choice(self.persons))})
            if rng.random() < 0.4:
                hold = {"op": rng.choice(("hold", "hold", "unhold")), "ground": "law"}
                found.append({**hold, "code": rng.choice(rng.choice(self.persons))})
        messages = []
        for number, content in enumerate(found):
            second = self.begin + rng.choice((-DAY, self.minutes * 30, self.minutes * 30, DAY)) + number % 2
            if content["op"] in ("hold", "unhold"):
                second = self.begin + 2 * DAY
            content |= {"at": self.time(second), "by": "desk"}
            messages.append(Message("people", b"p%d" % number, as_json(content), (self.begin + 2 * DAY) * 1000))
        return messages

    def decisions(self) -> list[Message]:
        """About exposures that may or may not be; no two at one moment, since no rule says which would count."""
        rng = self.rng
        messages = []
        for number in range(rng.choice((0, 1, 3))):
            person = pseudonym(canonical(rng.choice(rng.choice(self.persons))), KEY)
            content = {
                "exposure_id": exposure_id(f"c{rng.randrange(2)}", person),
                "decision": rng.choice(("confirm", "dismiss")),
                "at": self.time(self.begin + DAY + number),
                "by": "tracer",
            }
            messages.append(Message("decisions", b"d%d" % number, as_json(content), (self.begin + 2 * DAY) * 1000))
        return messages

    def decisions_of_cases(self) -> list[Message]:
        """One or several of a case, some at one moment, some of a case that nobody reports, or not yet."""
        rng = self.rng
        messages = []
        for number in range(rng.choice((1, 1, 2, 3))):
            content = {
                "case_id": f"c{rng.choice((0, 0, 1, 2))}",
                "decision": rng.choice(("release", "release", "refuse")),
                "at": self.time(self.begin + 2 * DAY + rng.randrange(2)),
                "by": "tracer",
            }
            messages.append(Message("decisions", b"g%d" % number, as_json(content), (self.begin + 2 * DAY) * 1000))
        return messages

    def empty_records(self) -> list[Message]:
        """An empty value of a registry changes nothing."""
        if self.rng.random() < 0.8:
            return []
        topic, key = self.rng.choice((("cases", b"c0"), ("venues", b"v0")))
        return [Message(topic, key, b"", self.begin * 1000)]


def as_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
