"""The golden vectors of schemas/vectors/, for whoever implements the contract again.

    python -m tests.schemas.vectors      write them

Nothing here uses the project's code: what is expected stands here by hand, or is worked out from the text of
tracing-rules.md (rule 2) and messages.md with hashlib and base64 alone. All codes, names and keys are made up.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "schemas" / "vectors"
KEYS = ("a made-up key for vectors, not a secret", "k" * 64)
D = "123456789012"

CANONICAL = {
    D: f"cccd:{D}",
    f" {D}\r\n": f"cccd:{D}",
    f"\u3000{D}\u00a0": f"cccd:{D}",
    "000000000000": "cccd:000000000000",
    f"{D}|987654321|Người Mẫu|01011990|Nam|Thôn Mẫu, Xã Mẫu|02022021": f"cccd:{D}",
    f"{D}||||||": f"cccd:{D}",
    f"{D}|987654321|Người Mẫu|01011990|Nam|Thôn Mẫu": f"raw:{D}|987654321|Người Mẫu|01011990|Nam|Thôn Mẫu",
    f"{D}|1|2|3|4|5|6|7": f"raw:{D}|1|2|3|4|5|6|7",
    f"{D}|x": f"raw:{D}|x",
    "12345678901": "raw:12345678901",
    "1234567890123": "raw:1234567890123",
    "123 456 789 012": "raw:123 456 789 012",
    "12345678901a||||||": "raw:12345678901a||||||",
    "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661\u0662": (
        "raw:\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669\u0660\u0661\u0662"
    ),
    "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12": (
        "raw:\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12"
    ),
    f"{D}|Người Mẫu|01011990|0|9876543210|": "qid:9876543210",
    f"{D}|Người Mẫu|01011990|1|98765432109876543210|ext": "qid:98765432109876543210",
    "||01011990|1|0000000000|": "qid:0000000000",
    f"\t{D}|Người Mẫu|01011990|0|9876543210|\n": "qid:9876543210",
    f"{D}|Người Mẫu|01011990|2|9876543210|": f"raw:{D}|Người Mẫu|01011990|2|9876543210|",
    f"{D}|Người Mẫu|01011990|0|987654321|": f"raw:{D}|Người Mẫu|01011990|0|987654321|",
    f"{D}|Người Mẫu|01011990|0|987654321098765432101|": f"raw:{D}|Người Mẫu|01011990|0|987654321098765432101|",
    f"{D}|Người Mẫu|01011990|0|987654321x|": f"raw:{D}|Người Mẫu|01011990|0|987654321x|",
    f"{D}|Người Mẫu|01011990| 0|9876543210|": f"raw:{D}|Người Mẫu|01011990| 0|9876543210|",
    f"{D}|Người Mẫu|01011990|0|9876543210": f"raw:{D}|Người Mẫu|01011990|0|9876543210",
    f"{D}|Người Mẫu|01011990|0|9876543210||": f"cccd:{D}",
    "DN1234567890123": "bhyt:DN1234567890123",
    "dn1234567890123": "bhyt:DN1234567890123",
    "Dn1234567890123|Người Mẫu|01/01/1990": "bhyt:DN1234567890123",
    " hs1234567890123|a|b|c|d|e|f|g|h ": "bhyt:HS1234567890123",
    "\u212ab1234567890123": "bhyt:KB1234567890123",
    "DN123456789012": "raw:DN123456789012",
    "DN12345678901234": "raw:DN12345678901234",
    "DN 1234567890123": "raw:DN 1234567890123",
    "D11234567890123": "raw:D11234567890123",
    "x|DN1234567890123": "raw:x|DN1234567890123",
    "made-up card 7": "raw:made-up card 7",
    "Mẫu": "raw:Mẫu",
    "Ma\u0302\u0303u": "raw:Mẫu",
    "p1" + "a" * 26: "raw:p1" + "a" * 26,
    "cccd:" + D: f"raw:cccd:{D}",
    "\ufeffx": "raw:\ufeffx",
    "|": "raw:|",
}
NO_CODES = ("", " ", "\t\r\n", "\u3000\u00a0")


def pseudonym(canonical: str, key: str) -> str:
    """Rule 2: p1 + lower-case base32 (no padding) of the keyed BLAKE2b-128 of the canonical code."""
    digest = hashlib.blake2b(canonical.encode("utf-8"), key=key.encode("utf-8"), digest_size=16).digest()
    return "p1" + base64.b32encode(digest).decode("ascii").lower().rstrip("=")


def digest_id(*parts: str) -> str:
    """messages.md: hex of the first 16 bytes of SHA-256 of the parts with byte 0 between."""
    return hashlib.sha256(b"\x00".join(part.encode("utf-8") for part in parts)).digest()[:16].hex()


def ms_of(year: int, month: int, day: int, hour: int, minute: int, second: int, ms: int, offset_minutes: int) -> int:
    """Milliseconds since 1970 by the Gregorian rule, counted day by day and without a calendar library."""
    days = sum(sum(_lengths(y)) for y in range(1970, year)) + sum(_lengths(year)[: month - 1]) + day - 1
    return (((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second) * 1000 + ms


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _lengths(year: int) -> tuple[int, ...]:
    return (31, 29 if _leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


TIMES: dict[str | int, int] = {
    "2000-01-01T00:00:00Z": ms_of(2000, 1, 1, 0, 0, 0, 0, 0),
    "2099-12-31T23:59:59.999Z": ms_of(2099, 12, 31, 23, 59, 59, 999, 0),
    "2100-01-01T06:59:59+07:00": ms_of(2100, 1, 1, 6, 59, 59, 0, 420),
    "1999-12-31T17:00:00-07:00": ms_of(1999, 12, 31, 17, 0, 0, 0, -420),
    "2000-02-29T12:00:00Z": ms_of(2000, 2, 29, 12, 0, 0, 0, 0),
    "2024-02-29T23:59:59Z": ms_of(2024, 2, 29, 23, 59, 59, 0, 0),
    "2021-12-30T15:15:00+07:00": ms_of(2021, 12, 30, 15, 15, 0, 0, 420),
    "2021-12-30T08:15:00.1Z": ms_of(2021, 12, 30, 8, 15, 0, 100, 0),
    "2021-12-30T08:15:00.0009Z": ms_of(2021, 12, 30, 8, 15, 0, 0, 0),
    "2021-12-30T08:15:00.999999999999Z": ms_of(2021, 12, 30, 8, 15, 0, 999, 0),
    "2021-12-30T08:15:00-00:00": ms_of(2021, 12, 30, 8, 15, 0, 0, 0),
    "2021-12-30T08:15:00+23:59": ms_of(2021, 12, 30, 8, 15, 0, 0, 1439),
    "2021-12-30T08:15:00-05:30": ms_of(2021, 12, 30, 8, 15, 0, 0, -330),
    946684800000: 946684800000,
    4102444799999: 4102444799999,
    1640852100001: 1640852100001,
}
NO_TIMES: tuple[Any, ...] = (
    "1999-12-31T23:59:59.999Z",
    "2100-01-01T00:00:00Z",
    "2000-01-01T06:59:59+07:00",
    "2021-12-30T08:15:00",
    "2021-12-30T08:15:00z",
    "2021-12-30t08:15:00Z",
    "2021-12-30 08:15:00Z",
    "2021-12-30T08:15Z",
    "2021-12-30T081500Z",
    "20211230T081500Z",
    "2021-12-30T24:00:00Z",
    "2021-12-30T23:60:00Z",
    "2016-12-31T23:59:60Z",
    "2021-02-29T08:15:00Z",
    "2021-04-31T08:15:00Z",
    "2021-00-10T08:15:00Z",
    "2021-13-10T08:15:00Z",
    "2021-12-00T08:15:00Z",
    "2021-12-30T08:15:00.Z",
    "2021-12-30T08:15:00,5Z",
    "2021-12-30T08:15:00+07",
    "2021-12-30T08:15:00+0700",
    "2021-12-30T08:15:00+24:00",
    "2021-12-30T08:15:00+07:60",
    "2021-12-30T08:15:00 +07:00",
    "2021-12-30T08:15:00Z ",
    "2021-12-30T08:15:00Z\n",
    "\u0662\u0660\u0662\u0661-12-30T08:15:00Z",
    "1640852100000",
    "",
    946684799999,
    4102444800000,
    1640852100,
    0,
    -1,
    1640852100000.5,
    True,
)
DATES = ("2021-12-30", "2024-02-29", "2000-02-29", "1954-10-10", "2100-12-31")
NO_DATES = (
    "2021-02-29",
    "1900-02-29",
    "2021-13-01",
    "2021-00-01",
    "2021-1-1",
    "20211230",
    "2021-12-30Z",
    " 2021-12-30",
    "2021-12-30\n",
    "30/12/2021",
    "2021-W52-4",
    "2021-364",
    "0000-01-01",
    "\u0662\u0660\u0662\u0661-12-30",
    "",
)


def _second(ms: int) -> str:
    """RFC 3339, Z, whole seconds: counted back from the days, without a calendar library."""
    left, year, month = ms // 86_400_000, 1970, 1
    while left >= sum(_lengths(year)):
        left, year = left - sum(_lengths(year)), year + 1
    while left >= _lengths(year)[month - 1]:
        left, month = left - _lengths(year)[month - 1], month + 1
    of_day = ms // 1000 % 86_400
    return f"{year:04}-{month:02}-{left + 1:02}T{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}Z"


def vectors() -> dict[str, Any]:
    """File → content."""
    people = [pseudonym(canonical, KEYS[0]) for canonical in (f"cccd:{D}", "qid:9876543210", "bhyt:DN1234567890123")]
    cases = ("C-0001", "C-1", "ca mẫu 7", "0")
    starts = ("2022-01-03T11:00:00Z", "2000-01-01T00:00:00Z")
    return {
        "persons.json": {
            "rule": "tracing-rules.md, rule 2: what a code stands for",
            "canonical": [{"code": code, "canonical": canonical} for code, canonical in CANONICAL.items()],
            "refused": list(NO_CODES),
        },
        "pseudonyms.json": {
            "rule": "rule 2: p1 + lower-case base32 without padding of BLAKE2b-128(canonical code), keyed",
            "pseudonyms": [
                {"key": key, "code": code, "pseudonym": pseudonym(canonical, key)}
                for key in KEYS
                for code, canonical in CANONICAL.items()
            ],
        },
        "exposure_ids.json": {
            "rule": "messages.md: hex of the first 16 bytes of SHA-256(case_id, byte 0, pseudonym)",
            "ids": [{"case_id": c, "person": p, "exposure_id": digest_id(c, p)} for c in cases for p in people],
        },
        "alert_ids.json": {
            "rule": "messages.md: as exposure ids, of case_id, venue_id and start as it stands in the alert",
            "ids": [
                {"case_id": c, "venue_id": v, "start": s, "alert_id": digest_id(c, v, s)}
                for c in cases
                for v in ("V-0001", "chợ mẫu")
                for s in starts
            ],
        },
        "times.json": {
            "rule": "messages.md, Time: in → milliseconds; out → RFC 3339, Z, whole seconds, cut toward the past",
            "times": [{"in": t, "ms": ms, "out": _second(ms)} for t, ms in TIMES.items()],
            "refused": list(NO_TIMES),
        },
        "dates.json": {"rule": "messages.md: YYYY-MM-DD", "dates": list(DATES), "refused": list(NO_DATES)},
    }


def texts() -> dict[Path, str]:
    return {FOLDER / name: json.dumps(v, indent=1, ensure_ascii=True) + "\n" for name, v in vectors().items()}


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
