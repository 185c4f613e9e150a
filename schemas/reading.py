"""From the bytes of a record to one checked message, or to the reason why not: what all message types share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from schemas.fields import Check, as_it_is, seconds
from schemas.grammar import is_json, whole_texts
from schemas.problem import SCHEMA, FieldError, Problem, not_json, of_decoder, of_field
from schemas.times import parse_time

Headers = Sequence[tuple[str, bytes]]
Wire = TypeVar("Wire")
Checked = TypeVar("Checked")


class Field(NamedTuple):
    """One field of a wire Struct: its attribute, its name in JSON, its check."""

    attribute: str
    name: str
    check: Check


@cache
def fields_of(wire: Any) -> tuple[Field, ...]:
    """The fields of a wire Struct. Raises TypeError for a kind that has no check: a mistake of ours, at import."""
    hints = get_type_hints(wire, include_extras=True)
    return tuple(Field(f.name, f.encode_name, _check_of(hints[f.name])) for f in msgspec.structs.fields(wire))


def _check_of(hint: Any) -> Check:
    if get_origin(hint) is Annotated:
        for extra in hint.__metadata__:
            if isinstance(extra, Check):
                return extra
    elif get_origin(hint) is Literal:
        return Check(as_it_is, " or ".join(get_args(hint)))
    else:
        for part in get_args(hint):  # `Kind | None`
            if part is not type(None):
                return _check_of(part)
    raise TypeError(f"no check for fields of {hint}")


class Reader(Generic[Wire, Checked]):
    """Reads one type of message. `name` = what the header tv-schema calls it."""

    def __init__(self, name: str, wires: Any, check: Callable[[Wire], Checked]) -> None:
        """`wires`: a wire Struct, or a union of tagged ones. `check` raises FieldError."""
        self.name = name
        self.wires = wires
        self.decoder: msgspec.json.Decoder[Wire] = msgspec.json.Decoder(wires)
        self._check = check
        self.expected: dict[str, str] = {}
        for wire in get_args(wires) or (wires,):
            for field in fields_of(wire):
                self.expected.setdefault(field.name, field.check.expected)
        tags = [wire.__struct_config__.tag for wire in get_args(wires)]
        if tags:
            self.expected[get_args(wires)[0].__struct_config__.tag_field] = " or ".join(tags)

    def read(self, value: bytes | None, headers: Headers = ()) -> Checked | Problem | None:
        """One record; None for an empty value, which changes nothing. Never raises."""
        if not value:
            return None
        if not is_json(value):
            return not_json(value)
        return self.wrong_version(value, headers) or self.read_element(value)

    def read_element(self, value: bytes, index: int | None = None) -> Checked | Problem:
        """What is JSON already: a whole record, or an element of a batch. Never raises."""
        prefix = "" if index is None else f"/{index}"
        try:
            return self._check(self._decode(value))
        except FieldError as error:
            return of_field(error, value, index, prefix)
        except msgspec.ValidationError as error:
            return of_decoder(error, self.expected, value, index, prefix)

    def _decode(self, value: bytes) -> Wire:
        try:
            return self.decoder.decode(value)
        except msgspec.ValidationError:
            raise
        except msgspec.MsgspecError:  # JSON all the same, so it is half a surrogate pair
            return self.decoder.decode(whole_texts(value))

    def wrong_version(self, value: bytes, headers: Headers) -> Problem | None:
        """The header `tv-schema` names a version that we know, or is absent."""
        for key, content in headers:
            if key == "tv-schema" and (content or b"").split(b".")[0] != f"{self.name}/1".encode():
                detail = f": expected the header tv-schema to be absent or {self.name}/1"
                return Problem(SCHEMA, detail, None, value)
        return None


def checked(wire: msgspec.Struct, into: type[Checked], **given: Any) -> Checked:
    """The checked message: each field of `into` by the check of its kind, or as `given`. Raises FieldError.

    Fields that are absent or null take the default of `into`.
    """
    for field in fields_of(type(wire)):
        attribute, name, check = field
        content = getattr(wire, attribute)
        if content is None or attribute in given:
            continue
        make = check.make
        if make is not as_it_is:
            try:
                content = make(content)
            except ValueError:
                raise FieldError(name, check.expected) from None
        given[attribute] = content
    return into(**given)


def updated(wire: Any, own: str) -> int:
    """`updated_at` in ms; absent, it is the record's own date field (messages.md, "Who wins"). Raises FieldError."""
    wanted = own if wire.updated_at is None else "updated_at"
    field = next(field for field in fields_of(wire.__class__) if field.attribute == wanted)
    to_ms = parse_time if field.check.make is seconds else field.check.make
    try:
        return to_ms(getattr(wire, wanted))
    except ValueError:
        raise FieldError(field.name, field.check.expected) from None
