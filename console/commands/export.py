"""`truyvet export`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.tables import count
from console.trouble import Trouble, WrongUse, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from console.exports.sheets import Sheet
    from streams.runtime.settings import Settings

Record = dict[str, Any]


def _filled(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("it must not be blank", ctx, param)
    return value.strip()


@click.command(short_help="Exposures as files of Go.Data, SORMAS, or a spreadsheet.")
@click.argument("form", metavar="FORM", type=click.Choice(["godata", "sormas", "csv", "xlsx"]))
@click.option("--case", "case_id", metavar="ID", help="The contacts of this case.")
@click.option("--all", "all_", is_flag=True, help="Those of all cases.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--by", required=True, metavar="WHO", callback=_filled, help="Who takes the data.")
@click.option("--reason", required=True, metavar="TEXT", callback=_filled, help="What for. No personal data in it.")
@click.option("--disease", default="CORONAVIRUS", show_default=True, metavar="NAME", help="SORMAS's name of it.")
@click.option("--us-dates", is_flag=True, help="For SORMAS: month first, where its user's language is English.")
def command(
    form: str,
    case_id: str | None,
    all_: bool,
    out: Path,
    by: str,
    reason: str,
    disease: str,
    us_dates: bool,
) -> None:
    """What stands of a case, or of all, as FORM: godata, sormas (CSV to import there), csv or xlsx.

    godata makes two files: with --out x.csv they are x-contacts.csv and x-relationships.csv. Persons are pseudonyms,
    venues ids; codes are in none of them. Each export is a line in the audit log before the file is there; without the
    line there is no file. Files are readable by you alone.
    """
    if (case_id is None) == (not all_):
        raise click.UsageError("Of whom: --case ID, or --all?")
    ending = ".xlsx" if form == "xlsx" else ".csv"
    if out.suffix.lower() != ending:
        raise click.UsageError(f"--out: a file that ends in {ending}.")
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        found = asyncio.run(_read(settings, case_id))
        if not found:
            raise Trouble("no exposure stands" + (f" of case {case_id}" if case_id else ""))
        files = _sheets(form, found, out, disease, us_dates)
        asyncio.run(_audit(settings, by, f"{reason} ({form})", case_id))
    for path, sheet in files.items():
        _write(path, sheet)
        click.echo(f"{path}: {count(len(sheet.rows), 'row')}")


async def _read(settings: Settings, case_id: str | None) -> list[Record]:
    from console.commands.exposures import in_order
    from console.ledger import standing

    return in_order(await standing(settings, "exposures", case_id))


async def _audit(settings: Settings, by: str, reason: str, case_id: str | None) -> None:
    from console.auditing import auditor, open_log
    from streams.steps.audit import CodeInAudit, NotAudited

    async with open_log(settings) as log:
        try:
            await auditor(log).write("export", by, case_id or "all", reason, case_id=case_id)
        except CodeInAudit as wrong:
            raise WrongUse(f"--{wrong}") from None
        except NotAudited as failed:
            raise Trouble(f"no audit, no answer: {failed}") from None


def _sheets(form: str, found: list[Record], out: Path, disease: str, us_dates: bool) -> dict[Path, Sheet]:
    from console.exports import godata, plain, sormas

    if form == "godata":
        return {out.with_name(f"{out.stem}-{sheet.name}{out.suffix}"): sheet for sheet in godata.sheets(found)}
    if form == "sormas":
        return {out: sormas.sheet(found, disease, us_dates=us_dates)}
    return {out: plain.exposures(found)}


def _write(path: Path, sheet: Sheet) -> None:
    from console.exports.sheets import write_csv, write_xlsx
    from console.outfile import PRIVATE, writing

    with writing(path, PRIVATE) as file:
        if path.suffix.lower() == ".xlsx":
            write_xlsx(file, [sheet])
        else:
            # Only for a spreadsheet: importers would take the mark for a part of the first column's name.
            write_csv(file, sheet, mark=sheet.name == "exposures")
