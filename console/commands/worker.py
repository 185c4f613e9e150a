"""`truyvet worker`."""

from __future__ import annotations

import click

from console.trouble import kafka_at, load_settings, redis_at


@click.command(short_help="One worker.")
def command() -> None:
    """One worker on the Kafka and Redis of the settings. Any number may run; each may be killed at any time.

    Ends with 0 after SIGTERM, when the work in hand is done. Any other end is for a supervisor to start it again.
    """
    settings = load_settings()
    from agents.worker import main

    with kafka_at(settings), redis_at(settings):
        main(settings)
