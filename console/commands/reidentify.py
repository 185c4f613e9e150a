"""`truyvet reidentify`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from console.tables import as_json
from console.trouble import Trouble, WrongUse, kafka_at, load_settings, redis_at

if TYPE_CHECKING:
    from streams.runtime.settings import Settings
    from streams.steps.reidentify import Answer


def _filled(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("it must not be blank", ctx, param)
    return value if value is None else value.strip()


@click.command(short_help="Pseudonyms back to codes.")
@click.argument("pseudonyms", metavar="PSEUDONYM…", nargs=-1, required=True)
@click.option("--by", required=True, metavar="WHO", callback=_filled, help="Who asks.")
@click.option("--reason", required=True, metavar="TEXT", callback=_filled, help="What for. No personal data in it.")
@click.option("--case", "case_id", metavar="ID", callback=_filled, help="The case that it is for.")
@click.option("--escrow", is_flag=True, help="TRUYVET_VAULT_KEY_FILE holds the escrow's key, not the desk's.")
@click.option("--json", "json_", is_flag=True, help="JSON, one pseudonym a line.")
def command(pseudonyms: tuple[str, ...], by: str, reason: str, case_id: str | None, escrow: bool, json_: bool) -> None:
    """The codes behind pseudonyms, one a line: pseudonym, code in its canonical form (`cccd:…`, `qid:…`).

    Codes that were linked are one person, and come together.

    Needs the vault's private key (TRUYVET_VAULT_KEY_FILE). Each look is a line in the audit log, with who asked and
    what for, before it is answered; without the line there is no answer. Ends with 1 when one of them has no code.
    """
    settings = load_settings()
    with kafka_at(settings), redis_at(settings):
        answers = asyncio.run(_ask(settings, pseudonyms, by, reason, case_id, escrow))
    for answer in answers:
        codes = [_printable(code) for code in answer.codes]
        if json_:
            as_json({"pseudonym": answer.pseudonym, "codes": codes, "trouble": answer.trouble})
            continue
        for code in codes:
            click.echo(f"{answer.pseudonym} {code}")
        if answer.trouble is not None:
            click.echo(f"{answer.pseudonym}: {answer.trouble}", err=True)
    without = sum(1 for answer in answers if not answer.codes)
    if without:
        raise Trouble(f"{without} of {len(answers)} have no code to show")


async def _ask(
    settings: Settings, pseudonyms: tuple[str, ...], by: str, reason: str, case_id: str | None, escrow: bool
) -> list[Answer]:
    from console.auditing import auditor, open_log
    from console.stores import open_store
    from streams.rules.codes import pseudonym_digest
    from streams.runtime.vaultkeys import vault_opener
    from streams.steps.audit import CodeInAudit, NotAudited
    from streams.steps.reidentify import linked, reidentify

    for place, text in enumerate(pseudonyms, 1):
        try:
            pseudonym_digest(text)
        except ValueError:
            # Its place, not its text: somebody may have typed a code here.
            raise WrongUse(
                f"PSEUDONYM {place} is none: `p1` and 26 letters or digits, as exposures name people"
            ) from None
    opened_by = vault_opener(settings, escrow=escrow)
    async with open_store(settings) as store, open_log(settings) as log:
        try:
            return await reidentify(
                store,
                auditor(log),
                opened_by,
                pseudonyms,
                by=by,
                reason=reason,
                case_id=case_id,
                members=await linked(store),
                escrow=escrow,
            )
        except CodeInAudit as wrong:
            raise WrongUse(f"--{wrong}") from None
        except NotAudited as failed:
            raise Trouble(f"no audit, no answer: {failed}") from None


def _printable(code: str) -> str:
    return code.encode("utf-8", "backslashreplace").decode()
