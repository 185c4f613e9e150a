"""The `truyvet` command. Commands are loaded when asked for, so that `--help` and a typing error answer at once."""

from __future__ import annotations

import importlib
import os
import sys

import click

from console.trouble import explained

COMMANDS: dict[str, str] = {
    "up": "Everything on this machine: Kafka, Redis, topics, workers, page.",
    "status": "What runs and how far it is.",
    "worker": "One worker on the Kafka and Redis of the settings.",
    "gateway": "Take scans over HTTP, keep them on disk until Kafka has them.",
    "topics": "Make the topics, or say what differs.",
    "wait": "Return when everything that was sent has had all its effects.",
    "replay": "Publish scans from files.",
    "simulate": "Make a province: venues, people, days of scans, cases.",
    "case": "Report a case, or withdraw one.",
    "people": "Say something of a person: linked codes, vaccination, test, erasure ...",
    "decide": "Release or refuse a held case; confirm or dismiss an exposure.",
    "cases": "How far each case is.",
    "exposures": "What stands.",
    "followups": "Whom to follow up, and until when.",
    "alerts": "Where cases were while they were infectious.",
    "clusters": "Places where several cases were within days.",
    "explain": "Why an exposure is what it is, down to the scans.",
    "f2": "Who met an F1 of a case after the F1 met the case.",
    "chain": "The graph of a case as a page, GraphML or JSON.",
    "policy": "The figures that decide: publish, list, compare.",
    "whatif": "All cases under another policy; nothing is written.",
    "pseudonym": "Codes on standard input to pseudonyms.",
    "reidentify": "Pseudonyms back to codes; each look is audited.",
    "rejects": "What was rejected, and why.",
    "desk": "The desk page: its users, and the page by itself.",
    "audit": "Who looked at what: the chained log, and whether it is whole.",
    "coverage": "Who can be reached, who scans, who does not, on a day.",
    "report": "A day as a page and on paper.",
    "export": "Exposures as files of Go.Data, SORMAS, or a spreadsheet.",
    "poster": "Posters with a venue's signed QR code.",
    "card": "Cards with a person's code, for a guard to scan.",
    "vault": "The vault of codes: its keys, and its age.",
    "rebuild": "Throw the Redis state away and rebuild it from Kafka.",
    "bench": "The measurements of the README, beside peers in the same run.",
    "demo": "The main job on a made-up province, from nothing.",
}
"""Every command with the line that `truyvet --help` shows, in the order of use."""


class Commands(click.Group):
    """Loads `console/commands/NAME.py` (its `command`) when NAME is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found = importlib.import_module(f"console.commands.{name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"There is no command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Ends with 0: done, 1: the answer is no, 2: wrong use. Settings come from the environment or .env.",
)
@click.version_option(package_name="truyvet")
def truyvet() -> None:
    """Who shared a place with whom, and when: contact tracing from check-ins."""


def main() -> None:
    """Run the command line; every foreseen failure ends with one sentence on standard error, never with a traceback."""
    try:
        with explained():
            truyvet()
    except BrokenPipeError:
        # `truyvet exposures | head`: the reader has seen enough. Without this Python complains once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
