"""Reading persons' codes: never an argument, since those stay in the shell's history and in `ps`.

Whoever gives one as an argument all the same is told so, without the code: click would repeat it on standard error,
which is often kept.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click


class CodeCommand(click.Command):
    """A command of one code or several. It repeats no argument that is too many."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as wrong:
            if type(wrong) is not click.UsageError:  # a parameter is missing or wrong, which names the parameter
                raise
            raise click.UsageError(
                "There is an argument too many. A code is no argument: it is asked for, or read from a pipe.", ctx
            ) from None


class CodeGroup(click.Group):
    """The group of such commands. It repeats no name that is none."""

    command_class = CodeCommand

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(f"That is none of its commands: {', '.join(self.commands)}.", ctx) from None


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
