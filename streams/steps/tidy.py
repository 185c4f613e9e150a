"""Take away public keys of what is no more: a venue without scans on a day, an area that no venue is in any longer.

Whoever counts overwrites what he knows of. What a former owner wrote, or a rebuild left, he does not: a venue may have
moved to another commune, or its scans may be gone, while nobody counted.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from streams.ports import Call, Store
from streams.rules.days import day_number
from streams.state import public
from streams.state.ledgers import scan_keys
from streams.steps.registers import Registers

MANY = 500


async def tidy(
    store: Store,
    registers: Registers,
    seen: Mapping[int, Container[bytes]],
    *,
    elsewhere: Callable[[int], bool],
    inside: Mapping[tuple[str, int], int],
) -> None:
    """`seen`: day → tokens of the venues with scans. `elsewhere(day)`: figures of that day stay as they are, since it
    is forgotten. `inside`: (venue_id, day) where somebody is."""
    codes: dict[int, set[str]] = {}
    doomed: list[str] = []
    async for name in scan_keys(store, f"{public.PREFIX}*"):
        kind, what, when = public.parts_of(name.decode())
        day = day_number(when) if when is not None else None
        if when is None or day is None or kind == "rejects" or elsewhere(day):
            continue
        if day not in seen:
            stands = False
        elif kind == "venue":
            stands = (what, day) in inside or any(token in seen[day] for token in registers.under(what))
        elif kind == "area":
            if day not in codes:
                codes[day] = {code for _, code in registers.areas_on(when)}
            stands = what in codes[day]
        else:
            stands = kind != "org" or what in registers.of_organisation
        if not stands:
            doomed.append(name.decode())
    for at in range(0, len(doomed), MANY):
        await store.run([Call("DEL", (key,)) for key in doomed[at : at + MANY]])
