"""What a report is about: the province, an area, an organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.rules.counters import ancestors

if TYPE_CHECKING:
    from schemas.coverage import Coverage
    from schemas.organisation import Organisation
    from schemas.venue import Venue


@dataclass(frozen=True)
class Registries:
    """The winners, by id."""

    venues: Mapping[str, Venue]
    organisations: Mapping[str, Organisation]
    areas: Mapping[str, Coverage]


@dataclass(frozen=True)
class Scope:
    """`kind`: `all`, `area`, `organisation`."""

    kind: str
    id: str
    name: str

    def areas(self, known: Registries) -> list[str]:
        """Codes of the areas in it, by their names."""
        if self.kind == "organisation":
            return []
        codes = [code for code in known.areas if self.kind == "all" or self.id in _above(code, known)]
        return sorted(codes, key=lambda code: known.areas[code].name)

    def venues(self, known: Registries) -> list[Venue]:
        """Those that are registered and open, by id."""
        found = (venue for _, venue in sorted(known.venues.items()) if venue.status == "open")
        if self.kind == "all":
            return list(found)
        if self.kind == "organisation":
            return [venue for venue in found if self.id in _bodies(venue.organisation, known)]
        return [venue for venue in found if self.id in (venue.province, venue.district, venue.commune)]

    def organisations(self, known: Registries) -> list[str]:
        """Ids: all; those under the organisation; those of the area or with a venue in it."""
        if self.kind == "all":
            return sorted(known.organisations)
        if self.kind == "organisation":
            return sorted(name for name in known.organisations if self.id in _bodies(name, known))
        here = {venue.organisation for venue in self.venues(known)}
        return sorted(
            name
            for name, body in known.organisations.items()
            if name in here or (body.commune is not None and self.id in _above(body.commune, known))
        )


def scope_of(known: Registries, area: str | None, organisation: str | None) -> Scope | None:
    """None when no such area or organisation is registered."""
    if organisation is not None:
        body = known.organisations.get(organisation)
        return None if body is None else Scope("organisation", organisation, body.name)
    if area is not None:
        if area in known.areas:
            return Scope("area", area, known.areas[area].name)
        # Venues may name an area that the registry of areas does not have yet.
        places = (venue for venue in known.venues.values() if area in (venue.province, venue.district, venue.commune))
        return Scope("area", area, area) if any(places) else None
    provinces = [found for found in known.areas.values() if found.level == "province" and found.valid_to is None]
    return Scope("all", "", provinces[0].name if len(provinces) == 1 else "")


def _above(code: str, known: Registries) -> list[str]:
    return ancestors(code, {name: area.parent for name, area in known.areas.items()})


def _bodies(name: str | None, known: Registries) -> list[str]:
    return ancestors(name, {key: body.parent for key, body in known.organisations.items()})
