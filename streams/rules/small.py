"""Small numbers of persons (rule 11): whoever reads that a café had one guest may know who it was."""

from __future__ import annotations

from typing import Final

SMALL: Final = 5


def few(persons: int) -> int | str:
    """A number of persons as desk and reports show it: 1 to 4 are `<5`."""
    return f"<{SMALL}" if 0 < persons < SMALL else persons
