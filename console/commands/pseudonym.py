"""`truyvet pseudonym`."""

from __future__ import annotations

import sys

import click

from console.trouble import Trouble, load_settings


@click.command(short_help="Codes to pseudonyms.")
def command() -> None:
    """Codes on standard input, one a line, to pseudonyms, one a line, in the same order.

    Each code's own pseudonym under TRUYVET_KEY (rule 2); links between codes are not followed. A line that is no code
    gives an empty line, a word on standard error, and exit code 1.
    """
    settings = load_settings()
    from streams.rules.codes import EmptyCode, Pseudonymiser, pseudonym_text

    make = Pseudonymiser(settings.needed_key())
    bad = 0
    out = sys.stdout
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            # Only the line's end goes here: white space around a code is rule 2's business.
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
            out.write(pseudonym_text(make.digest(text)) + "\n")
        except (UnicodeDecodeError, EmptyCode):
            bad += 1
            out.write("\n")
            # The line's number, never its text: standard error may be logged.
            click.echo(f"line {number} is no code: empty, or not UTF-8", err=True)
        if sys.stdin.isatty():
            out.flush()
    if bad:
        raise Trouble(f"{bad} of {number} lines are no codes")
