"""HTTP: `POST /scans`, `GET /health`, `GET /`. No answer and no log line holds anything of what a client sent."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from console.gateway.buckets import Buckets
from console.gateway.committing import SpoolBusy, SpoolFull
from console.gateway.intake import Intake, NotJson, TooMany, take_in
from console.gateway.page import page
from console.gateway.publisher import Publisher
from console.gateway.spool import Spool
from schemas.scan import MAX_BATCH, MAX_BATCH_BYTES

logger = logging.getLogger("truyvet.gateway")

BODY_SECONDS = 30.0  # until all of a request is here
AGAIN_WHEN_FULL = 30  # seconds
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Counts:
    """Scans since the start, and requests that were turned away for their number."""

    accepted: int = 0
    refused: int = 0
    limited: int = 0


class Server:
    """The requests of one gateway. `gateway_id`: of scans that name none."""

    def __init__(self, spool: Spool, publisher: Publisher, buckets: Buckets, gateway_id: str | None = None) -> None:
        self._spool, self._publisher, self._buckets, self._gateway_id = spool, publisher, buckets, gateway_id
        self._counts = Counts()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[_quiet], client_max_size=MAX_BATCH_BYTES)
        app.router.add_post("/scans", self.scans)
        app.router.add_get("/health", self.health)
        app.router.add_get("/", self.page)
        return app

    async def scans(self, request: web.Request) -> web.Response:
        """202 = taken, and safe on the disk."""
        client = request.remote or ""
        if (wait := self._buckets.wait(client)) > 0:
            return self._limited(wait)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.read()
        except TimeoutError:
            return _answer(408, error="timeout", expected=f"all of the request within {BODY_SECONDS:.0f} s")
        except web.HTTPRequestEntityTooLarge:
            return _answer(413, error="too_long", expected=f"at most {MAX_BATCH_BYTES // 1024} KiB")
        # Again: many requests of one client may have come while none of them had been counted.
        if (wait := self._buckets.wait(client)) > 0:
            return self._limited(wait)
        version = request.headers.get("tv-schema")
        headers = [("tv-schema", version.encode(errors="replace"))] if version is not None else []
        try:
            found = take_in(body, time.time_ns() // 1_000_000, headers, self._gateway_id)
        except NotJson:
            self._buckets.spend(client, 1)
            return _answer(400, error="not_json", expected="JSON in UTF-8")
        except TooMany:
            self._buckets.spend(client, MAX_BATCH)
            return _answer(413, error="too_many", expected=f"at most {MAX_BATCH} scans")
        self._buckets.spend(client, found.scans + len(found.refused))
        return await self._keep(found)

    async def _keep(self, found: Intake) -> web.Response:
        try:
            if found.records:
                await self._spool.add(found.records)
        except SpoolFull as full:
            error = "disk_full" if full.of_disk else "spool_full"
            return _answer(507, AGAIN_WHEN_FULL, error=error, expected="room: send them again later")
        except SpoolBusy:
            return _answer(503, 1, error="busy", expected="a moment: send them again")
        except OSError:
            return _answer(503, AGAIN_WHEN_FULL, error="disk", expected="a disk that works: send them again later")
        self._counts.accepted += found.scans
        self._counts.refused += len(found.refused)
        # Nothing of it was taken, and sending it again would not help.
        status = 422 if found.refused and not found.scans else 202
        return _answer(status, taken=found.scans, refused=[refusal._asdict() for refusal in found.refused])

    def _limited(self, wait: float) -> web.Response:
        self._counts.limited += 1
        return _answer(429, max(1, math.ceil(wait)), error="too_fast", expected="fewer scans a second")

    # -- how it goes

    def state(self) -> dict[str, Any]:
        """What `/health` says; counts are of this process since its start."""
        spool, publisher, counts = self._spool, self._publisher, self._counts
        try:
            oldest = None if spool.empty else spool.oldest_ms()
        except OSError:  # the publisher says so
            oldest = None
        taking = not spool.committer.trouble and spool.room_for(MAX_BATCH_BYTES)
        return {
            "state": ("ready" if publisher.reachable else "waiting") if taking else "full",
            "spool_bytes": spool.bytes,
            "spool_limit_bytes": spool.limit,
            "spool_trouble": spool.committer.trouble,
            "records_waiting": spool.records,
            "oldest_waiting_seconds": 0 if oldest is None else max(0, round(time.time() - oldest / 1000)),
            "damaged_bytes": spool.damaged_bytes,
            "kafka": publisher.reachable,
            "kafka_trouble": publisher.trouble,
            "accepted": counts.accepted,
            "refused": counts.refused,
            "published": publisher.published,
            "requests_limited": counts.limited,
        }

    async def health(self, _: web.Request) -> web.Response:
        """200 while it takes scans, be Kafka there or not; 503 when it takes none: for a load balancer."""
        state = self.state()
        return web.json_response(state, status=503 if state["state"] == "full" else 200, headers=SECURITY)

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=page(self.state()), content_type="text/html", headers=SECURITY)


@web.middleware
async def _quiet(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A fault of ours is told by its kind and place alone: its text may quote what was sent."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _answer(error.status, headers=allowed, error=error.reason.lower().replace(" ", "_"))
    except Exception as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
        logger.error("%s at %s", type(error).__name__, place)
        return _answer(500, error="fault")


def _answer(
    status: int, retry_after: int | None = None, headers: dict[str, str] | None = None, **content: Any
) -> web.Response:
    headers = dict(headers or {})
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return web.Response(status=status, body=orjson.dumps(content), content_type="application/json", headers=headers)
