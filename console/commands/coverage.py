"""`truyvet coverage`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.tables import as_json, count, table
from console.times import Day

if TYPE_CHECKING:
    from console.coverage.sections import Covered

_TITLES = {
    "areas": "Areas",
    "organisations": "Organisations",
    "without": "Without a scan",
    "unregistered": "Unregistered venues",
    "gateways": "Gateways to look at",
    "doubtful": "Venues with shared codes, or codes in two places",
}
_SPARE = {
    "areas": ("population", "subscribers", "installs", "balance", "level", "area", "in", "out", "venues_registered"),
    "organisations": ("balance", "in", "out", "venues", "organisation"),
}
_SHOWN = 30


@click.command(short_help="Who can be reached, who scans, who does not, on a day.")
@click.option("--day", type=Day(), metavar="YYYY-MM-DD", help="Local day. Default: the newest with scans.")
@click.option("--area", metavar="CODE", help="Only this province, district or commune.")
@click.option("--organisation", metavar="ID", help="Only this organisation and those below it.")
@click.option("--json", "json_", is_flag=True, help="JSON, one object.")
@click.option("--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Files of CSV.")
@click.option("--xlsx", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="A workbook.")
def command(
    day: datetime.date | None,
    area: str | None,
    organisation: str | None,
    json_: bool,
    csv_: Path | None,
    xlsx: Path | None,
) -> None:
    """Installs of population and subscribers; active of registered venues; communes, organisations and venues without
    a scan; in and out; staff of headcount; gateways that are silent or whose clock is off; unregistered venues; shared
    codes and codes in two places at once.

    1 to 4 persons are shown as <5. A day is settling, and changes, until it is three days old. --csv x.csv makes a file
    a section: x-areas.csv, x-organisations.csv ...
    """
    if area is not None and organisation is not None:
        raise click.UsageError("--area or --organisation, not both.")
    for option, path, ending in (("--csv", csv_, ".csv"), ("--xlsx", xlsx, ".xlsx")):
        if path is not None and path.suffix.lower() != ending:
            raise click.UsageError(f"{option}: a file that ends in {ending}.")
    from console.coverage.today import covered_day

    covered = covered_day(day, area, organisation)
    if csv_ is not None:
        _csv(covered, csv_)
    if xlsx is not None:
        _xlsx(covered, xlsx)
    if json_:
        as_json(_object(covered))
    elif csv_ is None and xlsx is None:
        _tables(covered)


def _object(covered: Covered) -> dict[str, object]:
    return {
        "day": covered.day.isoformat(),
        "settling": covered.settling,
        "scope": {"kind": covered.scope.kind, "id": covered.scope.id, "name": covered.scope.name},
        "as_of": covered.as_of.isoformat() if covered.as_of else None,
        "state": covered.state,
        "lag_records": covered.lag_records,
        **{name: covered.rows(name) for name in covered.sheets if name != "total"},
        "total": covered.total(),
    }


def _tables(covered: Covered) -> None:
    settling = ", settling: its figures still change" if covered.settling else ""
    click.echo(f"{covered.scope.name or 'The province'} on {covered.day}{settling}")
    if covered.lag_records:
        click.echo(f"{count(covered.lag_records, 'record')} are not taken in yet.")
    for name, figure in covered.total().items():
        if name not in ("day", "state", "of") and figure is not None:
            shown = f"{figure:,}" if isinstance(figure, int) else str(figure)
            click.echo(f"  {name.replace('_', ' '):18} {shown}")
    for name, title in _TITLES.items():
        sheet = covered.sheets[name]
        if not sheet.rows:
            continue
        numbers = [column for column, cell in zip(sheet.columns, sheet.rows[0], strict=True) if _is_number(cell)]
        table(f"{title}: {len(sheet.rows):,}", sheet.columns, sheet.rows[:_SHOWN], numbers, _SPARE.get(name, ()))
        if len(sheet.rows) > _SHOWN:
            click.echo(f"and {len(sheet.rows) - _SHOWN:,} more: --csv or --xlsx has all.")


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or cell == "<5"


def _csv(covered: Covered, path: Path) -> None:
    from console.exports.sheets import write_csv
    from console.outfile import writing

    for name, sheet in covered.sheets.items():
        out = path.with_name(f"{path.stem}-{name}{path.suffix}")
        with writing(out) as file:
            write_csv(file, sheet, mark=True)
        click.echo(f"{out}: {count(len(sheet.rows), 'row')}", err=True)


def _xlsx(covered: Covered, path: Path) -> None:
    from console.exports.sheets import write_xlsx
    from console.outfile import writing

    with writing(path) as file:
        write_xlsx(file, covered.sheets.values())
    click.echo(f"{path}: {count(len(covered.sheets), 'sheet')}", err=True)
