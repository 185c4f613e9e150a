"""Reading persons' codes: never an argument by default, since those stay in the shell's history and in `ps`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click


def read_codes(names: Sequence[str], given: Sequence[str | None], file: str | None) -> list[str]:
    """One code a name (as shown to who is asked): from options, a file ('-' = standard input), hidden questions on a
    terminal, or standard input; in the last two and in a file one a line. Raises click.UsageError, without a code.
    """
    if any(code is not None for code in given):
        if file is not None or any(code is None for code in given):
            raise click.UsageError(f"Give {_listed(names)} either all as options or all in one file.")
        return [code for code in given if code is not None]
    if file is None and sys.stdin.isatty():
        return [click.prompt(f"{name[:1].upper()}{name[1:]}", hide_input=True, err=True) for name in names]
    text = sys.stdin.read() if file in (None, "-") else Path(str(file)).read_text("utf-8")
    codes = [line.strip() for line in text.splitlines() if line.strip()]
    if len(codes) != len(names):
        raise click.UsageError(
            f"Expected {_listed(names)}, one a line, on standard input or in the file; there are {len(codes)} lines."
        )
    return codes


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)
