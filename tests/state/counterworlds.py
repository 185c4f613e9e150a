"""Worlds for the counters: those of the simulation, with venues that belong to areas, organisations and other venues,
and that move; with organisations below others, and areas that come and go."""

from __future__ import annotations

import json
from contextlib import suppress
from random import Random
from typing import Any

from tests.reference.fields import date_text, local_day
from tests.simulation.makers import DAY, Message, as_json
from tests.simulation.worlds import World, make_world

COMMUNES = {"00001": ("1", "001"), "00004": ("1", "001"), "27000": ("79", None), "27001": ("79", "760")}
ORGANISATIONS = ("ministry", "office", "school", "unheard-of")


def counter_world(seed: int) -> World:
    world, rng = make_world(seed), Random(f"{seed}/counters")
    begin = world.earliest_ms // 1000 + 2 * DAY
    messages = [m for m in world.messages if m.topic != "venues"]
    messages += [_venue(rng, begin) for _ in range(rng.choice((0, 2, 6, 12)))]
    messages += [_organisation(rng, begin) for _ in range(rng.choice((0, 1, 4)))]
    messages += [_area(rng, begin) for _ in range(rng.choice((0, 2, 8)))]
    if rng.random() < 0.3:
        messages.append(Message("organisations", b"x", b'{"organisation": "x"}', begin * 1000))
    messages += _people(rng, messages, begin)
    world.messages[:] = messages
    return world


def _people(rng: Random, messages: list[Message], begin: int) -> list[Message]:
    """Codes that were scanned are linked, and erased."""
    scanned = []
    for message in messages:
        if message.topic == "scans":
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                read = json.loads(message.value)["person"]
                if isinstance(read, str) and read.isprintable() and read.strip():
                    scanned.append(read)
    made = []
    for number in range(rng.choice((0, 0, 2, 4)) if scanned else 0):
        content: dict[str, Any] = {"at": (begin + rng.randrange(2 * DAY)) * 1000, "by": "desk"}
        if number < 2:
            content |= {"op": "link", "code": rng.choice(scanned), "same_as": rng.choice(scanned)}
        else:
            content |= {"op": rng.choice(("unlink", "erase")), "code": rng.choice(scanned)}
        made.append(Message("people", b"more-%d" % number, as_json(content), (begin + 2 * DAY) * 1000))
    return made


def _venue(rng: Random, begin: int) -> Message:
    """Of few venues, some of which nobody scans: one has several records, and belongs to something else in each."""
    venue_id = rng.choice(("v0", "v1", "v2", "hall", "site"))
    commune = rng.choice((*COMMUNES, None))
    province, district = COMMUNES[commune] if commune else (rng.choice(("1", None)), None)
    content = {
        "venue_id": venue_id,
        "name": "Nhà",
        "type": rng.choice(("shop", "office", "market")),
        "organisation": rng.choice((*ORGANISATIONS, None)),
        "parent": rng.choice(("hall", "site", "v0", None, None)),
        "province": province,
        "district": district,
        "commune": commune,
        "status": rng.choice(("open", "open", "closed")),
        "registered_at": (begin - DAY) * 1000,
        "updated_at": begin * 1000 + rng.randrange(20),
    }
    if rng.random() < 0.4:
        content["dwell_minutes"] = rng.randint(1, 30)
    return _message("venues", venue_id, content, begin)


def _organisation(rng: Random, begin: int) -> Message:
    name = rng.choice(ORGANISATIONS[:3])
    content = {
        "organisation": name,
        "name": "Cơ quan",
        "head": "Giám đốc",
        "parent": rng.choice(("ministry", "office", None)),
        "headcount": rng.choice((None, 0, 12)),
        "registered_at": (begin - DAY) * 1000,
        "updated_at": begin * 1000 + rng.randrange(20),
    }
    return _message("organisations", name, content, begin)


def _area(rng: Random, begin: int) -> Message:
    level, area = rng.choice((("province", "1"), ("province", "79"), ("district", "001"), ("commune", "00001"),
                              ("commune", "00004"), ("commune", "99999")))  # fmt: skip
    today = local_day(begin)
    content: dict[str, Any] = {
        "area": area,
        "level": level,
        "name": "Xã",
        "population": rng.choice((None, 900)),
        "subscribers": 7,
        "as_of": rng.choice((date_text(today), begin * 1000 + rng.randrange(20))),
    }
    if rng.random() < 0.5:
        content["valid_from"] = date_text(today + rng.choice((-1, 0, 1)))
    if rng.random() < 0.5:
        content["valid_to"] = date_text(today + rng.choice((0, 1, 2)))
        content["successor"] = "00004"
    return _message("coverage", area, content, begin)


def _message(topic: str, key: str, content: dict[str, Any], begin: int) -> Message:
    told = {name: value for name, value in content.items() if value is not None}
    return Message(topic, key.encode(), as_json(told), begin * 1000)
