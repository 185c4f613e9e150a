"""The contract for everyone outside, made from the Structs: a JSON Schema a message, and one AsyncAPI document.

python -m schemas.publish            write schemas/published/, and pin examples that are new
python -m schemas.publish --check    say what is not up to date; exit 1 if anything is not (CI)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schemas.asyncapi import document
from schemas.catalogue import MESSAGES
from schemas.example_files import pinned, pins
from schemas.jsonschemas import json_schema

PUBLISHED = Path(__file__).parent / "published"
PINS = Path(__file__).parent / "examples" / "digests.txt"


def published() -> dict[Path, str]:
    """Every file that should be there, with its text."""
    files: dict[Path, Any] = {PUBLISHED / f"{m.name}.schema.json": json_schema(m) for m in MESSAGES}
    files[PUBLISHED / "asyncapi.json"] = document()
    texts = {path: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for path, content in files.items()}
    texts[PINS] = pins(pinned(PINS))
    return texts


def differences() -> list[str]:
    """What is missing, old, or should not be there, a line each."""
    texts = published()
    found = [
        f"{path.relative_to(PUBLISHED.parent)} is not up to date: run python -m schemas.publish"
        for path, text in texts.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    found += [
        f"published/{path.name} belongs to no message" for path in sorted(PUBLISHED.glob("*")) if path not in texts
    ]
    return found


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python -m schemas.publish [--check]", file=sys.stderr)
        return 2
    if arguments:
        found = differences()
        print("\n".join(found) or "schemas/published is up to date")
        return 1 if found else 0
    PUBLISHED.mkdir(exist_ok=True)
    for path, text in published().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
