"""The desk page's process: its routes, and the server on a socket that `truyvet up` opened before."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from nicegui import ui

from console.deskpage.desk import Desk
from console.deskpage.guard import Guard
from console.deskpage.sessions import LONGEST
from console.deskpage.shell import Shell
from console.deskpage.signin import sign_in_page
from console.deskpage.words import LANGUAGES, word

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f4c5c"/>'
    '<g stroke="#fff" stroke-width="2"><path d="M9 22 16 9l7 13z" fill="none"/></g><g fill="#ffb703">'
    '<circle cx="16" cy="9" r="3.6"/><circle cx="9" cy="22" r="3.6"/><circle cx="23" cy="22" r="3.6"/></g></svg>'
)
_LANGUAGE = "truyvet_language"


def cookie_of(port: int) -> str:
    """Cookies know no ports: two desks on one machine must not sign each other's people out."""
    return f"truyvet_desk_{port}"


def _port(request: Request) -> int:
    return (request.scope.get("server") or ("", 0))[1] or 0


def _language(request: Request) -> str:
    said = request.cookies.get(_LANGUAGE, "")
    return said if said in LANGUAGES else LANGUAGES[0]


def make_app(desk: Desk) -> Guard:
    """The ASGI app. Once a process: the toolkit keeps its pages in a module of its own."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        desk.start()
        yield
        await desk.close()

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        """200 while the system is ready, 503 when it is not: what a load balancer or a watchdog wants."""
        state = await desk.health.now()
        return JSONResponse(state, status_code=200 if state["state"] == "ready" else 503)

    @app.get("/sign-in")
    async def sign_in_form(request: Request) -> HTMLResponse:
        return HTMLResponse(sign_in_page(_language(request)))

    @app.post("/sign-in")
    async def sign_in(
        request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
    ) -> Response:
        language, name = _language(request), name.strip()
        if not desk.door.lets(name):
            return HTMLResponse(sign_in_page(language, "wait"), status_code=429)
        # Counted before it is looked at: many tries at the same time would else all be the first.
        desk.door.was_wrong(name)
        user = await asyncio.to_thread(desk.users.check, name, password[:200])
        if user is None:
            return HTMLResponse(sign_in_page(language, "wrong", name[:64]), status_code=401)
        desk.door.was_right(name)
        desk.sessions.end(request.cookies.get(cookie_of(_port(request))))
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            cookie_of(_port(request)),
            desk.sessions.begin(user, language),
            max_age=int(LONGEST),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @app.post("/sign-out")
    async def sign_out(request: Request) -> RedirectResponse:
        desk.sessions.end(request.cookies.get(cookie_of(_port(request))))
        answer = RedirectResponse("/sign-in", status_code=303)
        answer.delete_cookie(cookie_of(_port(request)))
        return answer

    @app.post("/language")
    async def language(request: Request, to: Annotated[str, Form()] = "") -> RedirectResponse:
        session = desk.sessions.find(request.cookies.get(cookie_of(_port(request))))
        answer = RedirectResponse("/" if session else "/sign-in", status_code=303)
        if to in LANGUAGES:
            if session is not None:
                session.language = to
            answer.set_cookie(_LANGUAGE, to, max_age=365 * 86400, httponly=True, samesite="strict")
        return answer

    @ui.page("/", title="Truyvet", response_timeout=10)
    async def page(request: Request) -> Any:
        session = desk.sessions.find(request.cookies.get(cookie_of(_port(request))))
        if session is None:
            return RedirectResponse("/sign-in", status_code=303)
        desk.sessions.touch(session)
        ui.page_title(word(session.language, "title"))
        await Shell(desk, session).build()
        return None

    ui.run_with(app, title="Truyvet", favicon=ICON, show_welcome_message=False, tailwind=False, reconnect_timeout=30.0)
    return Guard(app, desk.sessions, cookie_of)


def serve(desk: Desk, listening: socket.socket) -> None:
    """Answer on the socket until SIGTERM or Ctrl-C."""
    logging.getLogger("nicegui").setLevel(logging.WARNING)
    config = uvicorn.Config(
        make_app(desk),
        log_level="warning",
        access_log=False,
        server_header=False,
        loop="asyncio",
        timeout_graceful_shutdown=1,  # open pages hold a socket each, and would be waited for for ever
    )
    uvicorn.Server(config).run(sockets=[listening])
