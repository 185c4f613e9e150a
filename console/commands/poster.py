"""`truyvet poster`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.tables import as_json, count
from console.trouble import Trouble, WrongUse, load_settings, redis_at

if TYPE_CHECKING:
    from schemas.venue import Venue
    from streams.rules.poster import PosterKey
    from streams.runtime.settings import Settings


@click.command(short_help="Posters with a venue's signed QR code.")
@click.argument("venue_ids", metavar="VENUE_ID…", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every venue that is registered and open, one a page.")
@click.option("--area", metavar="CODE", help="With --all: only those of this province, district or commune.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .pdf, or .svg for one venue. Default: poster-VENUE_ID.pdf here, or posters.pdf.",
)
@click.option("--check", metavar="TEXT", help="Instead: who signed this text, as a scanner reads it from a poster.")
def command(venue_ids: tuple[str, ...], all_: bool, area: str | None, out: Path | None, check: str | None) -> None:
    """Posters to print on A4: the venue's name, what to do (in Vietnamese), and a QR code of 15 x 15 cm.

    The code says `TV1.VENUE_ID.KEY.MAC`, signed with a key that is derived from TRUYVET_KEY: `--check` tells it from
    one that somebody else made (exit code 1). Names come from the registry of venues.
    """
    settings = load_settings()
    from streams.rules.poster import poster_key

    key = poster_key(settings.needed_key())
    if check is not None:
        if venue_ids or all_:
            raise click.UsageError("--check goes alone.")
        _check(check, key)
        return
    if all_ == bool(venue_ids):
        raise click.UsageError("Which venues: VENUE_ID…, or --all?")
    if area is not None and not all_:
        raise click.UsageError("--area goes with --all.")
    out = out or _default(venue_ids)
    if out.suffix.lower() not in (".pdf", ".svg"):
        raise click.UsageError("--out: a file that ends in .pdf or .svg.")
    with redis_at(settings):
        registered = asyncio.run(_registered(settings))
    chosen = _open_ones(registered, area) if all_ else [_named(registered, venue_id) for venue_id in venue_ids]
    if out.suffix.lower() == ".svg" and len(chosen) != 1:
        raise WrongUse("an SVG holds one poster: take a .pdf for several")
    _write(chosen, key, out)
    click.echo(f"{out}: {count(len(chosen), 'poster')}, key {key.id}")


def _default(venue_ids: tuple[str, ...]) -> Path:
    from console.outfile import name_of

    return Path(f"poster-{name_of(venue_ids[0])}.pdf" if len(venue_ids) == 1 else "posters.pdf")


async def _registered(settings: Settings) -> dict[str, Venue]:
    from console.registered import venues
    from console.stores import open_store

    async with open_store(settings) as store:
        return await venues(store)


def _open_ones(registered: dict[str, Venue], area: str | None) -> list[Venue]:
    found = [
        venue
        for _, venue in sorted(registered.items())
        if venue.status == "open" and area in (None, venue.province, venue.district, venue.commune)
    ]
    if not found:
        where = "" if area is None else f" in {area}"
        raise Trouble(f"no open venue is registered{where}: publish the registry on `venues` first")
    return found


def _named(registered: dict[str, Venue], venue_id: str) -> Venue:
    if venue_id in registered:
        return registered[venue_id]
    from difflib import get_close_matches

    near = get_close_matches(venue_id, registered, 1)
    hint = f"; did you mean '{near[0]}'?" if near else ": publish it on `venues` first"
    raise Trouble(f"no venue '{venue_id}' is registered{hint}")


def _write(chosen: list[Venue], key: PosterKey, out: Path) -> None:
    from console.drawing.pdf import Pages
    from console.drawing.svg import svg
    from console.outfile import writing
    from console.posters import poster
    from console.progress import progress
    from streams.rules.poster import poster_text

    with writing(out) as file:
        if out.suffix.lower() == ".svg":
            (venue,) = chosen
            file.write(svg(poster(venue.venue_id, venue.name, poster_text(venue.venue_id, key))).encode())
            return
        pages = Pages(file, "Truyvet: mã QR của địa điểm")
        with progress("posters", len(chosen)) as bar:
            for done, venue in enumerate(chosen, 1):
                pages.add(poster(venue.venue_id, venue.name, poster_text(venue.venue_id, key)))
                bar.to(done)
        pages.close()


def _check(text: str, key: PosterKey) -> None:
    from streams.rules.poster import read_poster

    found = read_poster(text.strip(), [key])
    as_json({"venue_id": found.venue_id, "state": found.state, "proof": found.proof})
    if found.state != "signed":
        raise Trouble(f"not signed with this key ({key.id}): {found.state}")
