"""What every request passes before anything of the page answers it: where it comes from, and who sends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from console.deskpage.sessions import Sessions

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SOCKET = "/_nicegui_ws/"
# Vue compiles the tables' cell templates in the browser, hence 'unsafe-eval'; nothing comes from or goes elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms, which could be anybody's.
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """An ASGI app around the page's: refuses what another site's page sends, and sockets of nobody."""

    def __init__(self, app: App, sessions: Sessions, cookie: Callable[[int], str]) -> None:
        self.app, self._sessions, self._cookie = app, sessions, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        asks = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if asks and not same_origin(headers):
            await _refuse(scope, send, 403)
            return
        if scope["path"].startswith(SOCKET) and self._sessions.find(self.token(scope, headers)) is None:
            await _refuse(scope, send, 403)
            return
        await self.app(scope, receive, _with_headers(scope, send))

    def token(self, scope: Scope, headers: dict[bytes, str]) -> str | None:
        return token_of(headers.get(b"cookie", ""), self._cookie((scope.get("server") or ("", 0))[1] or 0))


def token_of(cookies: str, name: str) -> str | None:
    """The session's token in a Cookie header."""
    try:
        found = SimpleCookie(cookies).get(name)
    except CookieError:
        return None
    return found.value if found is not None else None


def same_origin(headers: dict[bytes, str]) -> bool:
    """Browsers say where a form or a socket comes from; a program that says nothing has no cookie of ours either."""
    if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc == headers.get(b"host")


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *HEADERS]})
    await send({"type": "http.response.body", "body": b""})


def _with_headers(scope: Scope, send: Send) -> Send:
    fixed = scope["path"].startswith("/_nicegui/")

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if fixed or pair[0].lower() != b"cache-control"]
            # Nothing of the desk stays in a browser's cache on a shared computer; the toolkit's own files may.
            own = [] if fixed else [(b"cache-control", b"no-store")]
            message = {**message, "headers": [*kept, *own, *HEADERS]}
        await send(message)

    return sending
