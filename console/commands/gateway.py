"""`truyvet gateway`."""

from __future__ import annotations

import click

from console.trouble import WrongUse, load_settings


@click.command(short_help="Take scans over HTTP.")
@click.option("--port", metavar="PORT", help="0 = a free one.  [default: 8750]")
@click.option("--address", metavar="IP", help="0.0.0.0 = every one of this machine.  [default: 127.0.0.1]")
@click.option("--spool", metavar="DIR", help="Scans that Kafka has not got yet.  [default: .truyvet/spool]")
@click.option("--gateway-id", "id", metavar="ID", help="For scans that name no gateway. Default: they are refused.")
@click.option("--rate", metavar="N", help="Scans a second for each client address; 0 = no limit.  [default: 500]")
@click.option("--max-spool", "max_spool_mib", metavar="MIB", help="Disk that the spool may take.  [default: 4096]")
@click.option("--tls-cert", metavar="FILE", help="PEM: speak HTTPS.")
@click.option("--tls-key", metavar="FILE", help="Its key, where it is not in the same file.")
def command(**given: str | None) -> None:
    """Take scans over HTTP, keep them on disk, publish them to Kafka in order, whether Kafka is there or not.

    \b
    POST /scans   one scan (JSON), or an array of at most 1,000 and 768 KiB: 202 when they are safe on the disk
    GET  /health  how many wait, and whether Kafka answers; 503 while nothing more can be taken
    GET  /        the same as a page

    Prints one line of JSON when it is ready. Each option has a setting: TRUYVET_GATEWAY_PORT for --port, and so on
    (TRUYVET_GATEWAY_MAX_SPOOL_MIB for --max-spool). It may be killed at any time: what was answered with 202 is
    published then at the next start. Ends with 0 after SIGTERM.
    """
    settings = load_settings()
    from console.gateway.options import PREFIX, Options
    from streams.runtime.settings import SettingError, values_of

    said = {PREFIX + name.upper(): value for name, value in given.items() if value is not None}
    try:
        options = Options.of({**values_of(), **said})
    except SettingError as wrong:
        raise WrongUse(str(wrong)) from None
    from console.gateway.running import run

    click.get_current_context().exit(run(settings, options))
