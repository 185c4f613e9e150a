"""`truyvet demo`, which `make demo` runs."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import click

from console.trouble import kafka_at, redis_at


@click.command(short_help="The main job on a made-up province.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=".truyvet/demo", show_default=True)
@click.option("--people", type=click.IntRange(1_000, 1_000_000), default=20_000, show_default=True)
@click.option("--venues", type=click.IntRange(100, 100_000), default=1_200, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31), default=11042, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True)
def command(data: Path, people: int, venues: int, seed: int, workers: int) -> None:
    """Kafka, Redis, workers and page come up, a simulated day streams in, a case is reported, exposures appear.

    With a terminal it goes on until Ctrl-C, so that you can look around; without one it prints the result and ends.
    The next start finds everything where it was, and reports the next case.
    """
    from console.demo import plan_of, print_result, province_folder, show_main_job
    from console.demostate import DemoState
    from console.demotable import Names
    from console.running import Running

    began = time.monotonic()
    data.mkdir(parents=True, exist_ok=True)
    with Running(data, workers) as system:
        plan = plan_of(seed, people, venues)
        # While Kafka starts: simulating needs nothing of it.
        folder = province_folder(data, plan)
        ready = system.ready()
        click.echo(f"Kafka {ready['kafka']}, {ready['redis']}, page {ready['page']}")
        settings = system.settings()
        with kafka_at(settings), redis_at(settings):
            result = asyncio.run(show_main_job(settings, folder, plan, DemoState(data)))
        print_result(result, Names(folder))
        click.echo(f"{time.monotonic() - began:.1f} s in all.")
        if sys.stdin.isatty():
            click.echo(f"\nIt goes on running, and the day is on the page: {ready['page']}")
            for line in system.to_sign_in():
                click.echo(f"  {line}")
            click.echo("\nIn another terminal, in this folder:\n")
            for line in system.to_look_around(result.case_id):
                click.echo(f"  {line}")
            click.echo("\nCtrl-C ends it; the next `make demo` goes on from here, with another case.")
            system.until_interrupted()
