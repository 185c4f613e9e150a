"""The fields of each message of messages.md, section In. Raises Schema."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.reference.fields import Fields, Schema, read_ms

VENUE_TYPES = (
    "office",
    "school",
    "factory",
    "enterprise",
    "shopping_centre",
    "supermarket",
    "market",
    "bus_station",
    "vehicle",
    "tourist_site",
    "lodging",
    "restaurant",
    "bar",
    "shop",
    "health",
    "worship",
    "event",
    "other",
)


class Scan(NamedTuple):
    """`person` as read, without white space around it; `second` UTC."""

    venue: str
    person: str
    second: int
    gateway: str
    direction: str
    role: str
    void: bool


class Venue(NamedTuple):
    venue: str
    type: str
    dwell: int | None
    max_stay: int | None
    linger: int | None
    status: str
    registered: int
    updated_ms: int
    organisation: str | None
    parent: str | None
    province: str | None
    district: str | None
    commune: str | None


class Case(NamedTuple):
    """Times in seconds."""

    case: str
    person: str
    status: str
    sampled: int
    onset: int | None
    isolated: int | None
    negative: int | None
    reported: int
    updated_ms: int


class Gateway(NamedTuple):
    gateway: str
    status: str
    revoked: int | None
    offset: int
    updated_ms: int


class Organisation(NamedTuple):
    organisation: str
    parent: str | None
    headcount: int
    updated_ms: int


class Area(NamedTuple):
    """Days as local days; None = no end."""

    area: str
    level: str
    population: int
    subscribers: int
    installs: int
    valid_from: int | None
    valid_to: int | None
    updated_ms: int


class PeopleRecord(NamedTuple):
    """One record of `people`; fields that its `op` has not are None. `at` in seconds."""

    op: str
    code: str
    at: int
    updated_ms: int
    same_as: str | None = None
    doses: int | None = None
    last_dose: int | None = None
    ground: str | None = None


class Decision(NamedTuple):
    """`of`: a case's or an exposure's id. `at` in seconds."""

    of: str
    decision: str
    at: int
    updated_ms: int


def scan_of(content: Any) -> Scan:
    fields = Fields(content)
    fields.identifier("scan_id")
    fields.open_word("mode", ("poster", "guard", "paper"))
    fields.text("proof", 256, least=0, needed=False)
    return Scan(
        venue=fields.identifier("venue_id") or "",
        person=fields.code("person"),
        second=fields.second("scanned_at") or 0,
        gateway=fields.identifier("gateway_id") or "",
        direction=fields.word("direction", ("in", "out"), "in"),
        role=fields.word("role", ("visitor", "staff"), "visitor"),
        void=fields.truth("void"),
    )


def venue_of(content: Any) -> Venue:
    fields = Fields(content)
    fields.text("name", 256)
    fields.number("lat", -90, 90)
    fields.number("lon", -180, 180)
    fields.whole("capacity", 0, 10**9)
    registered = fields.ms("registered_at") or 0
    return Venue(
        venue=fields.identifier("venue_id") or "",
        type=fields.open_word("type", VENUE_TYPES, needed=True) or "",
        dwell=fields.whole("dwell_minutes", 1, 1440),
        max_stay=fields.whole("max_stay_minutes", 1, 1440),
        linger=fields.whole("linger_minutes", 0, 60),
        status=fields.word("status", ("open", "closed"), "open"),
        registered=registered // 1000,
        updated_ms=fields.ms("updated_at", needed=False) or registered,
        organisation=fields.identifier("organisation", needed=False),
        parent=fields.identifier("parent", needed=False),
        province=fields.identifier("province", needed=False),
        district=fields.identifier("district", needed=False),
        commune=fields.identifier("commune", needed=False),
    )


def case_of(content: Any) -> Case:
    fields = Fields(content)
    fields.identifier("reported_by")
    reported = fields.ms("reported_at") or 0
    return Case(
        case=fields.identifier("case_id") or "",
        person=fields.code("person"),
        status=fields.word("status", ("confirmed", "withdrawn")),
        sampled=fields.second("sampled_at") or 0,
        onset=fields.second("onset_at", needed=False),
        isolated=fields.second("isolated_at", needed=False),
        negative=fields.second("negative_at", needed=False),
        reported=reported // 1000,
        updated_ms=fields.ms("updated_at", needed=False) or reported,
    )


CENTURY = 100 * 366 * 86400  # seconds: a clock that fell back to 1970 can be corrected


def gateway_of(content: Any) -> Gateway:
    fields = Fields(content)
    fields.identifier("organisation", needed=False)
    registered = fields.ms("registered_at") or 0
    return Gateway(
        gateway=fields.identifier("gateway_id") or "",
        status=(status := fields.word("status", ("active", "revoked"), "active")),
        revoked=fields.second("revoked_at", needed=status == "revoked"),
        offset=fields.whole("clock_offset_s", -CENTURY, CENTURY) or 0,
        updated_ms=fields.ms("updated_at", needed=False) or registered,
    )


COUNT = 10**9
LEVELS = ("province", "district", "commune")


def organisation_of(content: Any) -> Organisation:
    fields = Fields(content)
    fields.text("name", 256)
    fields.text("head", 256, needed=False)
    fields.identifier("commune", needed=False)
    registered = fields.ms("registered_at") or 0
    return Organisation(
        organisation=fields.identifier("organisation") or "",
        parent=fields.identifier("parent", needed=False),
        headcount=fields.whole("headcount", 0, COUNT) or 0,
        updated_ms=fields.ms("updated_at", needed=False) or registered,
    )


def area_of(content: Any) -> Area:
    """`as_of` is a date or a time; a date begins with its local midnight, which lies in the bounds of times
    (docs/readings.md)."""
    fields = Fields(content)
    fields.text("name", 256)
    for name in ("parent", "successor"):
        fields.identifier(name, needed=False)
    try:
        as_of = read_ms((fields.date("as_of") or 0) * 86_400_000 - 7 * 3_600_000)
    except Schema:
        as_of = fields.ms("as_of") or 0
    found = Area(
        area=fields.identifier("area") or "",
        level=fields.word("level", LEVELS),
        population=fields.whole("population", 0, COUNT) or 0,
        subscribers=fields.whole("subscribers", 0, COUNT) or 0,
        installs=fields.whole("installs", 0, COUNT) or 0,
        valid_from=fields.date("valid_from", needed=False),
        valid_to=fields.date("valid_to", needed=False),
        updated_ms=fields.ms("updated_at", needed=False) or as_of,
    )
    if found.valid_from is not None and found.valid_to is not None and found.valid_to < found.valid_from:
        raise Schema
    return found


OPS = ("link", "unlink", "vaccination", "test", "erase", "hold", "unhold", "employ")


def people_of(content: Any) -> PeopleRecord:
    fields = Fields(content)
    op = fields.word("op", OPS)
    at = fields.ms("at") or 0
    fields.identifier("by")
    ground = fields.text("ground", 1024) if op in ("hold", "unhold") else None
    if op == "test":
        fields.second("sampled_at")
        fields.identifier("result")
        fields.identifier("kind", needed=False)
        fields.identifier("lab", needed=False)
    if op == "employ":
        fields.identifier("organisation")
        since, until = fields.date("from") or 0, fields.date("to", needed=False)
        if until is not None and until < since:
            raise Schema
    doses = fields.whole("doses", 0, 99, needed=True) if op == "vaccination" else None
    return PeopleRecord(
        op=op,
        code=fields.code("code"),
        at=at // 1000,
        updated_ms=fields.ms("updated_at", needed=False) or at,
        same_as=fields.code("same_as") if op == "link" else None,
        doses=doses,
        last_dose=fields.date("last_dose_on", needed=bool(doses)) if op == "vaccination" else None,
        ground=ground,
    )


def decision_of(content: Any) -> Decision:
    """A decision's word says what it is about; the other id is a field that nobody knows."""
    fields = Fields(content)
    decision = fields.word("decision", ("release", "refuse", "confirm", "dismiss"))
    of_case = decision in ("release", "refuse")
    of = fields.identifier("case_id" if of_case else "exposure_id") or ""
    if not of_case and (len(of) != 32 or any(sign not in "0123456789abcdef" for sign in of)):
        raise Schema
    at = fields.ms("at") or 0
    fields.identifier("by")
    fields.text("note", 1024, least=0, needed=False)
    return Decision(of=of, decision=decision, at=at // 1000, updated_ms=fields.ms("updated_at", needed=False) or at)
