"""Records for all input topics, two thirds of them hurt, from a seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from tests.fuzz.grammar import Grammar
from tests.fuzz.mutations import HEADERS, as_json, hurt_bytes, hurt_fields, junk, raw_field
from tests.pipeline.answers import Sent
from tests.pipeline.town import Town

OTHERS = {
    "venues": 0.08,
    "cases": 0.06,
    "people": 0.08,
    "decisions": 0.05,
    "policies": 0.02,
    "organisations": 0.03,
    "coverage": 0.04,
    "evaluate": 0.02,
    "combine": 0.02,
}
UNKEYED = ("cases", "people", "decisions")
HUGE = 900_000  # bytes; the topics take a mebibyte
SCANS = 0.6
"""The share of scans: each record of a registry costs a worker some round trips, and a scan none."""


def mixed(seed: int, size: int, few: int, scans: float = SCANS) -> list[Iterator[Sent]]:
    """Gateways first, erasures last, `few` of each (see there); between them all others, and the good messages of a
    whole town."""
    town = Town(seed).messages
    return [gateways(seed, few, size), among(seed, stream(seed, size, scans), town, size), erasures(seed, few, size)]


def among(seed: int, many: Iterable[Sent], good: Sequence[Sent], size: int) -> Iterator[Sent]:
    """The good ones in their order, at random places."""
    rng = Random(f"{seed}/places")
    places = sorted(rng.randrange(size) for _ in good)
    at = 0
    for number, one in enumerate(many):
        while at < len(good) and places[at] == number:
            yield good[at]
            at += 1
        yield one


def gateways(seed: int, count: int, size: int) -> Iterator[Sent]:
    """So many, for `size` messages. To be taken in before all others: what is said of a gateway holds for the scans
    that come after it (docs/readings.md), and the reference does not know what came first."""
    rng = Random(f"{seed}/gateways")
    grammar = Grammar(rng, size)
    return (_record(rng, grammar, "gateways") for _ in range(count))


def stream(seed: int, size: int, scans: float = SCANS) -> Iterator[Sent]:
    rng = Random(f"{seed}/fuzz")
    grammar = Grammar(rng, size)
    rest = sum(OTHERS.values())
    topics, weights = ["scans", *OTHERS], [scans, *((1 - scans) * share / rest for share in OTHERS.values())]
    return (_record(rng, grammar, rng.choices(topics, weights)[0]) for _ in range(size))


def erasures(seed: int, count: int, size: int) -> Iterator[Sent]:
    """So many among `size` messages. After the others: what an erasure destroyed, a hold or the end of a link that
    comes later does not bring back (docs/readings.md)."""
    rng = Random(f"{seed}/erasures")
    grammar = Grammar(rng, size)
    return (_record(rng, grammar, "people", erasing=True) for _ in range(count))


def _record(rng: Random, grammar: Grammar, topic: str, *, erasing: bool = False) -> Sent:
    content = grammar.message(topic, erasing=erasing)
    key = grammar.key(topic, content)
    value = _value(rng, grammar, topic, content)
    headers = rng.choice(HEADERS) if rng.random() < 0.04 else ()
    odd = rng.random()
    if odd < 0.02:
        value = rng.choice((None, b"")) if topic != "policies" else value
    elif odd < 0.0203 and topic != "policies":
        value = as_json(rng, content)[:-1] + b', "unknown": "' + "ế".encode() * (HUGE // 3) + b'"}'
    elif odd < 0.04 and topic not in ("people", "decisions"):
        key = rng.choice((b"", rng.randbytes(20), b"x" * 300))
    stamp = grammar.stamp() if topic == "scans" and rng.random() < 0.01 else None
    # The client sends no record of nothing at all, and Kafka takes none without a key for a topic that it compacts.
    unkeyed = value is not None and (topic == "scans" or (topic in UNKEYED and rng.random() < 0.02))
    return Sent(topic, None if unkeyed else key, value, stamp, headers)


def _value(rng: Random, grammar: Grammar, topic: str, content: dict[str, object]) -> bytes:
    kind = rng.random()
    if topic == "policies":
        # A policy that is accepted would judge all cases by other figures than the reference has.
        return (
            junk(rng) if kind < 0.3 else as_json(rng, {**hurt_fields(rng, content), "id": rng.choice((None, 5, " "))})
        )
    if topic == "scans" and kind < 0.1:
        some = [grammar.message(topic) for _ in range(rng.choice((0, 1, 5, 50)))]
        return as_json(rng, [hurt_fields(rng, one) if rng.random() < 0.2 else one for one in some])
    if kind < 0.35:
        return as_json(rng, content)
    if kind < 0.65:
        return as_json(rng, hurt_fields(rng, content))
    if kind < 0.75:
        return raw_field(rng, content)
    if kind < 0.92:
        return hurt_bytes(rng, as_json(rng, content))
    return junk(rng)
