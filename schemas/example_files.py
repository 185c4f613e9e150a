"""Examples of every message, good and bad, and the digests that keep the good ones as they were shipped.

examples/<message>/<name>.json        the bytes of a record that is accepted, for ever (messages.md, "Versions")
examples/<message>/bad/<name>.json    {"why", "message" | "text" | "hex", "problems": [{"reason", "pointer"}]}
examples/digests.txt                  sha256sum's form, of the good ones: lines are added, none is changed
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "examples"


class Bad(NamedTuple):
    """`value` = the record's bytes; `problems` = (reason, pointer) of each that the decoder must find.

    `invalid` False: JSON Schema can't say what is wrong (jsonschemas.py).
    """

    path: Path
    value: bytes
    problems: list[tuple[str, str]]
    invalid: bool


def good(message: str) -> list[Path]:
    return sorted((FOLDER / message).glob("*.json"))


def bad(message: str) -> list[Bad]:
    return [_bad(path) for path in sorted((FOLDER / message / "bad").glob("*.json"))]


def _bad(path: Path) -> Bad:
    example: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if "hex" in example:
        value = bytes.fromhex(example["hex"])
    elif "text" in example:
        value = example["text"].encode()
    else:
        value = json.dumps(example["message"], ensure_ascii=False).encode()
    problems = [(p["reason"], p["pointer"]) for p in example["problems"]]
    return Bad(path, value, problems, example.get("json_schema_can_say", True))


def pinned(path: Path) -> dict[str, str]:
    """Example (its path under examples/) → SHA-256 in hexadecimal."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def pins(known: dict[str, str]) -> str:
    """The file of digests, with examples that are new added; those that are known stay, whatever the files are now."""
    found = {str(path.relative_to(FOLDER)): sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*/*.json")}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted((found | known).items()))
