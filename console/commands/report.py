"""`truyvet report`."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from console.times import Day


@click.command(short_help="A day as a page and on paper, for a head of commune, organisation, province.")
@click.argument("day", type=Day(), metavar="[DAY]", required=False)
@click.option("--area", metavar="CODE", help="For the head of this province, district or commune.")
@click.option("--organisation", metavar="ID", help="For the head of this organisation.")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True, help="Its language.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, .html or .pdf. Default: both, report-DAY[-AREA] here.",
)
def command(day: datetime.date | None, area: str | None, organisation: str | None, lang: str, out: Path | None) -> None:
    """The coverage of DAY (YYYY-MM-DD; default: the newest with scans) in pictures: one HTML file that loads nothing,
    and a PDF of A4 pages.

    1 to 4 persons are shown as <5. A day is marked as settling until it is three days old.
    """
    if area is not None and organisation is not None:
        raise click.UsageError("--area or --organisation, not both.")
    if out is not None and out.suffix.lower() not in (".html", ".pdf"):
        raise click.UsageError("--out: a file that ends in .html or .pdf.")
    from console.coverage.blocks import report
    from console.coverage.page import page
    from console.coverage.paper import paper
    from console.coverage.today import covered_day
    from console.coverage.words import Words
    from console.drawing.pdf import Pages
    from console.outfile import name_of, writing

    words = Words(lang)
    covered = covered_day(day, area, organisation)
    made = report(covered, words)
    whose = f"-{name_of(covered.scope.id)}" if covered.scope.id else ""
    base = Path(f"report-{covered.day}{whose}")
    for path in [out] if out is not None else [base.with_suffix(".html"), base.with_suffix(".pdf")]:
        with writing(path) as file:
            if path.suffix.lower() == ".html":
                file.write(page(made, words).encode())
            else:
                pages = Pages(file, f"{made.title} – {made.about}")
                for drawing in paper(made, words):
                    pages.add(drawing)
                pages.close()
        click.echo(str(path))
