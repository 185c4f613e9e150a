"""`truyvet card`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from console.codeinput import CodeCommand
from console.tables import count
from console.trouble import Trouble


@click.command(cls=CodeCommand, short_help="Cards with a person's code, for a guard to scan.")
@click.option(
    "--code-file", type=click.Path(allow_dash=True), help="File with codes, one a line; '-' = standard input."
)
@click.option("--label", default="", metavar="TEXT", help="A line on the card, such as a department. No code.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .pdf, a card a page; or .svg for one card.",
)
def command(code_file: str | None, label: str, out: Path) -> None:
    """Cards of 85.6 x 54 mm for people without a telephone: the QR code is theirs, as a scanner is to read it.

    Without --code-file the code is asked for (not shown), or codes are read from a pipe, one a line. The code is on the
    card as a picture only, and nowhere else: not in a file's name, not on the terminal. The file is readable by you
    alone.
    """
    if out.suffix.lower() not in (".pdf", ".svg"):
        raise click.UsageError("--out: a file that ends in .pdf or .svg.")
    codes = _codes(code_file)
    if out.suffix.lower() == ".svg" and len(codes) != 1:
        raise click.UsageError("An SVG holds one card: take a .pdf for several.")
    _write(codes, label, out)
    click.echo(f"{out}: {count(len(codes), 'card')}")


def _codes(file: str | None) -> list[str]:
    from streams.rules.codes import EmptyCode, canonical

    if file is None and sys.stdin.isatty():
        lines = [click.prompt("Code of the person", hide_input=True, err=True)]
    else:
        raw = sys.stdin.buffer.read() if file in (None, "-") else Path(str(file)).read_bytes()
        try:
            lines = raw.decode("utf-8").splitlines()
        except UnicodeDecodeError:
            raise Trouble("the codes are not UTF-8") from None
    codes = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            canonical(line)
        except EmptyCode:
            raise Trouble(f"line {number} is no code") from None
        codes.append(line.strip())
    if not codes:
        raise click.UsageError("There is no code on standard input or in the file.")
    return codes


def _write(codes: list[str], label: str, out: Path) -> None:
    from console.drawing.pdf import Pages
    from console.drawing.qr import TooLong
    from console.drawing.svg import svg
    from console.outfile import PRIVATE, writing
    from console.posters import card
    from console.progress import progress

    with writing(out, PRIVATE) as file, progress("cards", len(codes)) as bar:
        pages = None if out.suffix.lower() == ".svg" else Pages(file, "Truyvet: thẻ mã QR cá nhân")
        for number, code in enumerate(codes, 1):
            try:
                made = card(code, label)
            except TooLong:
                raise Trouble(f"code {number} is too long for a card") from None
            if pages is None:
                file.write(svg(made).encode())
            else:
                pages.add(made)
            bar.to(number)
        if pages is not None:
            pages.close()
