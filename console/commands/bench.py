"""`truyvet bench`: the measurements of the README."""

from __future__ import annotations

import importlib

import click

BENCHES: dict[str, str] = {
    "ingest": "Scans a second and CPU a scan, from the topic to the contact graph.",
    "case": "From a case's report to its last exposure; a release and a withdrawal of thousands.",
    "flagged": "From a scan at the place of an open case to the exposure.",
    "graph": "Bytes a scan in Redis.",
    "rebuild": "The state from Kafka again: scans a second, memory.",
    "workers": "What more workers bring, and what is the limit.",
    "counters": "What counting for dashboards costs while scans stream in.",
}
"""Every benchmark with its line of `--help`; `console/bench/NAME.py` has its `command`."""


class Benches(click.Group):
    """Loaded when asked for: they need Kafka's and Redis's clients, and `--help` does not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(BENCHES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in BENCHES:
            return None
        found = importlib.import_module(f"console.bench.{name}").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(BENCHES.items()))


@click.command(cls=Benches, invoke_without_command=True, short_help="The measurements of the README.")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Measure on this machine, each time beside peers in the same run: only the ratios travel.

    Each brings a Kafka and a Redis of its own and takes them away again; the settings are not looked at. Without a name
    all are run.
    """
    if ctx.invoked_subcommand is None:
        for name in BENCHES:
            found = ctx.command.get_command(ctx, name) if isinstance(ctx.command, Benches) else None
            assert found is not None
            ctx.invoke(found)
