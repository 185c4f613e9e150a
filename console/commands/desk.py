"""`truyvet desk …`: who may sign in at the desk page, and the page by itself."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path
from typing import Any

import click

from console.tables import as_json, table
from console.trouble import Trouble, WrongUse, load_settings

ROLES = ("tracer", "supervisor", "auditor", "head", "viewer")
FOLDER = "desk"
DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=".truyvet/data",
    show_default=True,
    help="The data folder of `truyvet up`; the desk's files lie in DATA/desk.",
)


@click.group(short_help="The desk page: its users, and the page by itself.")
def command() -> None:
    """The page where tracers work. `truyvet up` serves it; its users are in DATA/desk/users.json, passwords hashed."""


@command.group(short_help="Who may sign in.")
def user() -> None:
    """Who may sign in, and as what. A desk that runs knows of a change at once."""


@user.command(short_help="A new user, or a new role or password.")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--organisation", metavar="ID", help="Whose counters a head sees; only for heads.")
@DATA
def add(name: str, role: str, organisation: str | None, data: Path) -> None:
    """NAME stands in decisions and in the audit log. The password is asked for, or read from standard input."""
    from console.deskpage.users import UserProblem, Users

    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    try:
        Users(data / FOLDER).put(name, role, password, organisation)
    except UserProblem as wrong:
        raise WrongUse(str(wrong)) from None
    click.echo(f"{name} may sign in as {role}")


@user.command(short_help="Nobody any more.")
@click.argument("name")
@DATA
def remove(name: str, data: Path) -> None:
    """Their open sessions end with it."""
    from console.deskpage.users import Users

    if not Users(data / FOLDER).remove(name):
        raise Trouble(f"no user has this name in {data / FOLDER}: `truyvet desk user list`")
    click.echo(f"{name} is removed")


@user.command("list", short_help="Names and roles.")
@click.option("--json", "json_", is_flag=True, help="JSON, one user a line.")
@DATA
def list_(json_: bool, data: Path) -> None:
    from console.deskpage.users import Users

    users = Users(data / FOLDER).all()
    if json_:
        for one in users:
            as_json(one._asdict())
    elif users:
        table("Users of the desk", ("name", "role", "organisation"), [tuple(one) for one in users])
    else:
        click.echo("Nobody may sign in yet.")


@command.command(short_help="The page by itself.")
@DATA
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--fd", type=int, hidden=True, help="A listening socket that was handed over, instead of a port.")
@click.option("--up", type=click.Path(path_type=Path), hidden=True, help="Where `up` says what runs.")
def serve(data: Path, port: int, fd: int | None, up: Path | None) -> None:
    """Serve the page on this machine's loopback, on the Kafka and Redis of the settings, until Ctrl-C or SIGTERM.

    For others put a proxy with TLS before it, that passes Host and X-Forwarded-Proto. One page for one
    DATA: who is signed in, and what is proposed, is in its memory.
    """
    settings = load_settings()
    settings.needed_key()
    if fd is not None:
        listening = socket.socket(fileno=fd)
    else:
        listening = socket.create_server(("127.0.0.1", port), backlog=512)
    from console.deskpage.desk import Desk
    from console.deskpage.server import serve as answer

    with contextlib.suppress(KeyboardInterrupt):
        answer(Desk(settings, data / FOLDER, _pids_of(up)), listening)


def _pids_of(up: Path | None) -> Any:
    def pids() -> dict[str, Any]:
        from console.heldfile import read_held
        from console.state import running_up

        if up is None:
            return dict(running_up(load_settings()).get("pids", {}))
        return dict((read_held(up) or {}).get("pids", {}))

    return pids
