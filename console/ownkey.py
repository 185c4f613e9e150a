"""The pseudonym key of a data folder: made once, readable by its owner only, never replaced."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from console.trouble import WrongUse


def key_file(data: Path, given: bytes) -> Path | None:
    """Where the key of this folder lies, made when it has none; None when the settings give one (`given`).

    WrongUse when both are there and differ: the same person would get another pseudonym than yesterday, and nothing
    that was taken in before would ever meet what comes now.
    """
    path = data / "key"
    try:
        kept = path.read_bytes().strip()
    except FileNotFoundError:
        kept = b""
    if given:
        if kept and kept != given:
            raise WrongUse(
                f"TRUYVET_KEY: another key than the one that {data} was filled with ({path}); "
                "take it out of the settings, or choose another folder with --data"
            )
        return None
    if not kept:
        _make(path)
    return path.resolve()


def _make(path: Path) -> None:
    """256 bits, as hexadecimal digits. Whole or not there: half a key would be another key."""
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
