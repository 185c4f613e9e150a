"""The gateway as a process: folder, port, publisher; until it is asked to end."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import signal
import ssl
from contextlib import suppress

from aiohttp import web

from console.gateway.buckets import Buckets
from console.gateway.options import Options
from console.gateway.publisher import Publisher
from console.gateway.server import Server
from console.gateway.spool import Spool, SpoolTaken
from console.tables import as_json
from console.trouble import Trouble
from streams.runtime.quiet import log_to_stderr
from streams.runtime.settings import Settings

logger = logging.getLogger("truyvet.gateway")

DRAIN = 5.0  # seconds that the publisher gets at the end for what waits
REQUESTS = 5.0  # and requests that are being answered
FILES = 65_536  # one a connection
DONE, FAULT = 0, 70


def run(settings: Settings, options: Options) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit code. Raises Trouble (folder, port), OSError."""
    log_to_stderr()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES)), hard))
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # it quotes what it could not read
    return asyncio.run(_run(settings, options, tls_of(options)))


def tls_of(options: Options) -> ssl.SSLContext | None:
    """None without a certificate. Raises Trouble when the files are not what they should be."""
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except ssl.SSLError:
        raise Trouble(f"no certificate with its key in PEM: {options.tls_cert}") from None
    return context


async def _run(settings: Settings, options: Options, tls: ssl.SSLContext | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        spool = Spool(options.spool, options.max_spool_mib << 20)
    except SpoolTaken as taken:
        raise Trouble(str(taken)) from None
    spool.start()
    publisher = Publisher(settings, spool)
    server = Server(spool, publisher, Buckets(options.rate), options.gateway_id)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=REQUESTS)
    await runner.setup()
    site = web.TCPSite(runner, options.address, options.port, ssl_context=tls, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
        raise Trouble(f"TRUYVET_GATEWAY_ADDRESS: {options.address} is no address of this machine") from None
    publishing = asyncio.create_task(publisher.run())
    as_json({"ready": True, "url": _url(runner, tls), "spool": str(options.spool)})
    try:
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([publishing, spool.committer.task, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            # A supervisor starts it again; what was confirmed is on the disk.
            ended = publishing if publishing.done() else spool.committer.task
            logger.error("a fault ends the gateway: %s", type(ended.exception()).__name__)
            return FAULT
    finally:
        await runner.cleanup()
        await _drain(spool, publisher, publishing)
        publishing.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await publishing
        await publisher.close(REQUESTS)
        await spool.close()
    return DONE


async def _drain(spool: Spool, publisher: Publisher, publishing: asyncio.Task[None]) -> None:
    """Kafka gets what it takes in a moment, if it is there. The rest stays for the next start."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN):
            while publisher.reachable and not spool.empty and not publishing.done():
                await asyncio.sleep(0.02)


def _url(runner: web.AppRunner, tls: ssl.SSLContext | None) -> str:
    host, port = runner.addresses[0][:2]
    return f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"
