"""From the bytes of a record to checked messages, or to the reason why not (rule 1: `not_json`, then `schema`).

Two ways that give the same: an exact one, record by record, and one for whole batches of scans that does per scan only
what cannot be shared. The second leaves every record that it has any doubt about to the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from schemas.case import Case, CaseWire
from schemas.columns import ScanColumns, columns_of
from schemas.problem import SCHEMA, FieldError, Problem, is_json, problem_of
from schemas.scan import Scan, ScanWire
from schemas.texts import clean, clean_code, clean_id
from schemas.times import parse_time
from schemas.venue import TYPES, Venue, VenueWire

__all__ = [
    "Problem",
    "ScanColumns",
    "decode_case",
    "decode_scan_records",
    "decode_scans",
    "decode_venue",
    "element",
]

MAX_BATCH = 1000
MODES = ("poster", "guard", "paper")
Headers = Sequence[tuple[str, bytes]]
Wire = TypeVar("Wire")

_scan = msgspec.json.Decoder(ScanWire)
_scans = msgspec.json.Decoder(list[ScanWire])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_venue = msgspec.json.Decoder(VenueWire)
_case = msgspec.json.Decoder(CaseWire)
_BLANK = b" \t\n\r"


def decode_scans(value: bytes | None, headers: Headers = ()) -> tuple[list[tuple[int | None, Scan]], list[Problem]]:
    """One record of `scans`: an object, or an array of at most 1,000. (index or None, scan) and problems."""
    value = value or b""
    if not is_json(value):
        return [], [Problem("not_json", ": expected JSON in UTF-8", None, value)]
    wrong = _version(headers, "scan", value)
    if wrong is not None:
        return [], [wrong]
    if value.lstrip(_BLANK)[:1] != b"[":
        found = _one_scan(value, None)
        return ([], [found]) if isinstance(found, Problem) else ([(None, found)], [])
    elements = _raws.decode(value)
    if len(elements) > MAX_BATCH:
        return [], [Problem(SCHEMA, f": expected at most {MAX_BATCH} scans", None, value)]
    scans: list[tuple[int | None, Scan]] = []
    problems: list[Problem] = []
    for index, raw in enumerate(elements):
        found = _one_scan(bytes(raw), index)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            scans.append((index, found))
    return scans, problems


def _one_scan(value: bytes, index: int | None) -> Scan | Problem:
    prefix = "" if index is None else f"/{index}"
    try:
        return check_scan(_scan.decode(value))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return problem_of(error, value, index, prefix)


def check_scan(wire: ScanWire) -> Scan:
    """What the types alone don't say. Raises FieldError."""
    return Scan(
        scan_id=_text(wire, "scan_id", clean_id),
        venue_id=_text(wire, "venue_id", clean_id),
        person=_text(wire, "person", clean_code),
        scanned_at=_time(wire, "scanned_at") // 1000,
        gateway_id=_text(wire, "gateway_id", clean_id),
        direction=wire.direction or "in",
        role=wire.role or "visitor",
        mode="poster" if wire.mode is None else wire.mode if wire.mode in MODES else "other",
        void=bool(wire.void),
        proof=_text(wire, "proof", clean),
    )


def decode_venue(value: bytes | None, headers: Headers = ()) -> Venue | Problem | None:
    """One record of `venues`; None for an empty value, which changes nothing."""
    wire = _decode(value, headers, "venue", _venue)
    if wire is None or isinstance(wire, Problem):
        return wire
    try:
        registered = _time(wire, "registered_at")
        return Venue(
            venue_id=_text(wire, "venue_id", clean_id),
            name=_text(wire, "name", clean),
            type=wire.type if wire.type in TYPES else "other",
            registered_at=registered // 1000,
            updated_at=registered if wire.updated_at is None else _time(wire, "updated_at"),
            organisation=_text(wire, "organisation", clean_id),
            parent=_text(wire, "parent", clean_id),
            province=_text(wire, "province", clean_id),
            district=_text(wire, "district", clean_id),
            commune=_text(wire, "commune", clean_id),
            lat=wire.lat,
            lon=wire.lon,
            capacity=wire.capacity,
            dwell_minutes=wire.dwell_minutes,
            max_stay_minutes=wire.max_stay_minutes,
            linger_minutes=wire.linger_minutes,
            status=wire.status or "open",
        )
    except FieldError as error:
        return problem_of(error, value or b"", None)


def decode_case(value: bytes | None, headers: Headers = ()) -> Case | Problem | None:
    """One record of `cases`; None for an empty value, which changes nothing."""
    wire = _decode(value, headers, "case", _case)
    if wire is None or isinstance(wire, Problem):
        return wire
    try:
        reported = _time(wire, "reported_at")
        return Case(
            case_id=_text(wire, "case_id", clean_id),
            person=_text(wire, "person", clean_code),
            status=wire.status,
            sampled_at=_time(wire, "sampled_at") // 1000,
            reported_at=reported // 1000,
            reported_by=_text(wire, "reported_by", clean_id),
            updated_at=reported if wire.updated_at is None else _time(wire, "updated_at"),
            onset_at=_seconds(wire, "onset_at"),
            isolated_at=_seconds(wire, "isolated_at"),
            negative_at=_seconds(wire, "negative_at"),
        )
    except FieldError as error:
        return problem_of(error, value or b"", None)


def _decode(value: bytes | None, headers: Headers, name: str, decoder: msgspec.json.Decoder[Wire]) -> Wire | Problem | None:
    if not value:
        return None
    if not is_json(value):
        return Problem("not_json", ": expected JSON in UTF-8", None, value)
    wrong = _version(headers, name, value)
    if wrong is not None:
        return wrong
    try:
        return decoder.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return problem_of(error, value, None)


def _version(headers: Headers, name: str, value: bytes) -> Problem | None:
    """The header `tv-schema` names a version that we know, or is absent."""
    for key, content in headers:
        if key == "tv-schema" and (content or b"").split(b".")[0] != f"{name}/1".encode():
            return Problem(SCHEMA, f": expected the header tv-schema to be absent or {name}/1", None, value)
    return None


def _text(wire: Any, field: str, check: Any) -> Any:
    content = getattr(wire, field)
    if content is None:
        return None
    try:
        return check(content)
    except ValueError:
        raise FieldError(field) from None


def _time(wire: Any, field: str) -> int:
    try:
        return parse_time(getattr(wire, field))
    except ValueError:
        raise FieldError(field) from None


def _seconds(wire: Any, field: str) -> int | None:
    return None if getattr(wire, field) is None else _time(wire, field) // 1000


def element(value: bytes, index: int) -> bytes:
    """The bytes of one element of a batch that was decoded before."""
    return bytes(_raws.decode(value)[index])


# -- whole batches


def decode_scan_records(
    values: Sequence[bytes | None], headers: Sequence[Headers]
) -> tuple[ScanColumns, list[tuple[int, Problem]]]:
    """Records of `scans` → columns of all good scans, and (position of the record, problem) of the rest."""
    columns = _lines(values) if not any(headers) else None
    if columns is not None:
        return columns, []
    parts: list[ScanColumns] = []
    problems: list[tuple[int, Problem]] = []
    singles: list[int] = []
    slow: list[int] = []
    wires: list[ScanWire] = []
    record: list[int] = []
    index: list[int] = []
    for at, value in enumerate(values):
        if not value or headers[at] or not value.isascii():
            slow.append(at)
        elif value[0] == 0x7B and value[-1] == 0x7D and b"\n" not in value:
            singles.append(at)
        elif value[0] == 0x5B:
            try:
                batch = _scans.decode(value)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                slow.append(at)
                continue
            if len(batch) > MAX_BATCH:
                slow.append(at)
                continue
            wires += batch
            record += [at] * len(batch)
            index += range(len(batch))
        else:
            slow.append(at)
    if singles:
        lines = _lines([values[at] for at in singles])
        if lines is None:
            slow += singles
        else:
            parts.append(lines.at_records(singles))
    if wires:
        found, doubtful = columns_of(wires, record, index)
        parts.append(found)
        slow += doubtful
    for at in slow:
        scans, wrong = decode_scans(values[at], headers[at])
        problems += [(at, problem) for problem in wrong]
        if scans:
            parts.append(ScanColumns.of_scans([scan for _, scan in scans], at, [i for i, _ in scans]))
    return ScanColumns.joined(parts), problems


def _lines(values: Sequence[bytes | None]) -> ScanColumns | None:
    """All records of a fetch in one call of the decoder; None at any doubt.

    Lines are cut by the decoder, not by us, so it has to be sure that no record holds a line break or two objects and
    that no two records make one: every line break is ours, and stands between } and {. A value that is open at its end
    could only go on after a comma, and within a text a line break is an error.
    """
    try:
        joined = b"\n".join(values)  # type: ignore[arg-type]
    except TypeError:  # an empty record (None)
        return None
    breaks = len(values) - 1
    if joined[:1] != b"{" or joined[-1:] != b"}" or joined.count(b"\n") != breaks or joined.count(b"}\n{") != breaks:
        return None
    if not joined.isascii():
        try:
            joined.decode()  # the decoder skips fields that it does not know without a look at their UTF-8
        except UnicodeDecodeError:
            return None
    try:
        wires = _scan.decode_lines(joined)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if len(wires) != len(values):
        return None
    columns, doubtful = columns_of(wires, None, None)
    return None if doubtful else columns
