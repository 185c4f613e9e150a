"""Names and record formats of the contact graph in Redis. One place, so that scripts, writers and readers agree.

A scan is kept twice, as a plain fact: under its person and under its venue. Both sides use the same 11-byte record:
the *other* side's 8-byte token and 3 bytes that hold the second of the local day (17 bits), out, staff, void (1 bit
each) and 4 spare bits. What can be derived (pieces, contacts, exposures) is never kept here: late scans, venue figures,
links and policies would leave it stale (architecture.md, section 2).

    tv:p:{1f}:4b910053  hash   person token → records     person side: bucket, local day, sub; a field is the 7 bytes of
                                                          the token that the name does not say
    tv:v:{1f}:4b91…     string records                    venue side: a venue (token) and local day each
    tv:w:{1f}           hash   person token → marks       which cases watch this person, and on which days
    tv:i:{1f}:a3        hash   person token → the other 8 bytes of the pseudonym
    tv:n:{1f}           hash   venue token → venue_id

Braces are Redis Cluster hash tags: one script call touches one bucket, so one slot.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.rules.days import LOCAL_OFFSET

BUCKETS: Final = 32
SUBS = 128
"""Of a bucket's persons and a day; a power of two, from 8. A hash of up to 256 persons is packed (runtime/redis.py),
and a million persons a day fill them: docs/sizing.md says what to do for more. Each name and each hash has its price:
with twice as many shards a scan takes half a byte more."""
RECORD: Final = 11
OUT_BIT, STAFF_BIT, VOID_BIT, SECOND_SHIFT = 1 << 6, 1 << 5, 1 << 4, 7
MARK: Final = 13
OWN, WATCH = b"o", b"w"  # kinds of mark: the case's own person, a contact

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_HEX: Final = np.frombuffer(b"".join(b"%02x" % n for n in range(256)), dtype="S2")


def tag(bucket: int) -> str:
    return f"{{{bucket:02x}}}"


def tokens_of(joined: bytes) -> U64:
    """8-byte tokens, one after the other → uint64[n], in byte order (so sorting numbers sorts bytes)."""
    return np.frombuffer(joined, dtype=">u8").astype(np.uint64)


def token_bytes(tokens: U64) -> Bytes:
    """uint64[n] → uint8[n, 8]."""
    return tokens.astype(">u8").view(np.uint8).reshape(-1, 8)


def bucket_of(tokens: U64) -> I64:
    """The upper 5 bits of a token choose its bucket."""
    return (tokens >> np.uint64(59)).astype(np.int64)


def sub_of(tokens: U64) -> I64:
    """The next bits choose its sub shard. The name of a shard so says the whole first byte, which the fields of the
    hash leave out: a byte for each person and day."""
    return ((tokens >> np.uint64(_sub_shift())) & np.uint64(SUBS - 1)).astype(np.int64)


def _sub_shift() -> int:
    return 60 - SUBS.bit_length()


def person_place(token: bytes, day: int) -> tuple[str, bytes]:
    """Key and field of one person's records of a local day."""
    sub = (int.from_bytes(token) >> _sub_shift()) % SUBS
    return f"tv:p:{tag(token[0] >> 3)}:{day:04x}{sub:04x}", token[1:]


def venue_prefix(bucket: int, day: int) -> bytes:
    """A venue's token behind it makes the key of its records of a local day."""
    return b"tv:v:%b:%04x" % (tag(bucket).encode(), day)


def hex_of(numbers: I64) -> Bytes:
    """int64[n] → uint8[n, 4], hexadecimal: readable shard names, without Python per scan."""
    out = np.empty((len(numbers), 4), np.uint8)
    out[:, :2] = _HEX[numbers >> 8].view(np.uint8).reshape(-1, 2)
    out[:, 2:] = _HEX[numbers & 0xFF].view(np.uint8).reshape(-1, 2)
    return out


def pack_records(other: U64, second_of_day: I64, out: Mask, staff: Mask, void: Mask) -> Bytes:
    """uint8[n, 11]: the other side's token, then 3 bytes big-endian."""
    n = len(other)
    bits = (
        (second_of_day << SECOND_SHIFT)
        | (out.astype(np.int64) * OUT_BIT)
        | (staff.astype(np.int64) * STAFF_BIT)
        | (void.astype(np.int64) * VOID_BIT)
    )
    records = np.empty((n, RECORD), np.uint8)
    records[:, :8] = token_bytes(other)
    records[:, 8] = bits >> 16
    records[:, 9] = (bits >> 8) & 0xFF
    records[:, 10] = bits & 0xFF
    return records


class Records:
    """Unpacked records, as columns: `owner` int64 (index of the field they came from), `other` uint64, `second` UTC."""

    __slots__ = ("other", "out", "owner", "second", "staff", "void")

    def __init__(self, values: list[Any], days: I64) -> None:
        """`values[i]` = the field's bytes or None; `days[i]` = the local day that the field is of."""
        lengths = np.fromiter((len(v) if v else 0 for v in values), np.int64, len(values)) // RECORD
        raw = np.frombuffer(b"".join([v for v in values if v]), np.uint8).reshape(-1, RECORD)
        bits = (raw[:, 8].astype(np.int64) << 16) | (raw[:, 9].astype(np.int64) << 8) | raw[:, 10]
        self.owner: I64 = np.repeat(np.arange(len(values)), lengths)
        self.other: U64 = tokens_of(raw[:, :8].tobytes())
        self.second: I64 = days[self.owner] * 86400 - LOCAL_OFFSET + (bits >> SECOND_SHIFT)
        self.out: Mask = (bits & OUT_BIT) != 0
        self.staff: Mask = (bits & STAFF_BIT) != 0
        self.void: Mask = (bits & VOID_BIT) != 0

    def __len__(self) -> int:
        return len(self.owner)


def slices_by_bucket(buckets: I64) -> list[tuple[int, int, int]]:
    """Sorted bucket numbers → (bucket, from, to) of each that occurs."""
    if not len(buckets):
        return []
    edges = np.flatnonzero(np.diff(buckets)) + 1
    starts = [0, *edges.tolist()]
    return [(int(buckets[a]), a, b) for a, b in zip(starts, [*starts[1:], len(buckets)], strict=True)]
