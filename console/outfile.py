"""A file that a command makes for its user: whole or not there, and in the end under its name at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
"""For what is about persons: read by its owner only, until he says otherwise."""


@contextmanager
def writing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """The file to write to; it takes `path`'s place when the block ends, and nothing is left of it when that fails.

    Raises OSError (full disk, no right, no such folder).
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def name_of(text: str) -> str:
    """A part of a file name made of an id: letters, digits, `-`, `_`; everything else is `_`."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in text)
