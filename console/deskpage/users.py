"""Who may sign in at the desk, and as what: a file in the data folder that only its owner reads.

Passwords are kept as scrypt digests (16 MiB of memory a try), each with a salt of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

Role = Literal["tracer", "supervisor", "auditor", "head", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)
SHORTEST = 10
_COST, _BLOCK = 1 << 14, 8
_NOBODY = "00" * 16 + "$" + "00" * 32


class UserProblem(ValueError):
    """What is wrong with a name, a role or a password, in words that hold no password."""


class User(NamedTuple):
    """`organisation`: whose counters a head sees; None for the other roles."""

    name: str
    role: Role
    organisation: str | None = None


def hashed(password: str, salt: bytes | None = None) -> str:
    """salt$digest, hexadecimal."""
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=1, dklen=32)
    return f"{salt.hex()}${digest.hex()}"


class Users:
    """The file. It is read again when it changed, so that `truyvet desk user` works on a desk that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "users.json"
        self._read_at: tuple[int, int] | None = None
        self._users: dict[str, dict[str, Any]] = {}

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            self._users, self._read_at = {}, None
            return self._users
        if self._read_at != (now.st_mtime_ns, now.st_ino):
            self._users = json.loads(self._path.read_text("utf-8"))
            self._read_at = (now.st_mtime_ns, now.st_ino)
        return self._users

    def all(self) -> list[User]:
        return [self._user(name) for name in sorted(self._load())]

    def get(self, name: str) -> User | None:
        """As the file has it now: whoever was taken out, or got another role, is so at once."""
        return self._user(name) if name in self._load() else None

    def _user(self, name: str) -> User:
        kept = self._users[name]
        return User(name, kept["role"], kept.get("organisation"))

    def check(self, name: str, password: str) -> User | None:
        """The user, None when name or password is wrong: it takes as long for a name that nobody has."""
        kept = self._load().get(name)
        known = kept["password"] if kept is not None else _NOBODY
        given = hashed(password, bytes.fromhex(known.partition("$")[0]))
        right = secrets.compare_digest(given, known)
        return self._user(name) if right and kept is not None else None

    def put(self, name: str, role: str, password: str, organisation: str | None = None) -> User:
        """Add a user, or give them another role or password. Raises UserProblem."""
        # The name is `by` in decisions and in the audit log, where nothing may look like a personal code.
        from streams.rules.auditchain import holds_code

        if not name or len(name) > 64 or name != name.strip() or not name.isprintable() or holds_code(name):
            raise UserProblem("NAME: expected 1 to 64 letters, no white space around it, no row of nine digits, no `|`")
        if role not in ROLES:
            raise UserProblem(f"--role {role}: expected one of {', '.join(ROLES)}")
        if len(password) < SHORTEST:
            raise UserProblem(f"password: expected at least {SHORTEST} characters")
        if (role == "head") != (organisation is not None):
            raise UserProblem("--organisation: a head has one, and nobody else has")
        kept = {"role": role, "password": hashed(password)}
        if organisation is not None:
            kept["organisation"] = organisation
        self._change(lambda users: users.update({name: kept}))
        return self._user(name)

    def remove(self, name: str) -> bool:
        """False when there is no such user."""
        if name not in self._load():
            return False
        self._change(lambda users: users.pop(name, None))
        return True

    def _change(self, change: Callable[[dict[str, dict[str, Any]]], Any]) -> None:
        with locked(self.folder):
            self._read_at = None  # another command may have written meanwhile
            users = dict(self._load())
            change(users)
            write_private(self._path, json.dumps(users, ensure_ascii=False, indent=1) + "\n")
            self._load()


@contextmanager
def locked(folder: Path) -> Any:
    """One writer of the desk's files at a time, over processes."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Readable by its owner only; whole or not there, whatever dies in between."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


FIRST: tuple[tuple[str, Role], ...] = (("supervisor", "supervisor"), ("tracer", "tracer"), ("auditor", "auditor"))
FIRST_FILE = "first-passwords"


def first_users(folder: Path) -> Path | None:
    """For a desk without users: one of each role that its work needs, with random passwords.

    The file that holds them (for its owner only, to be deleted when they are known); None when there were users.
    """
    users = Users(folder)
    if users.all():
        return None
    passwords = {name: secrets.token_urlsafe(12) for name, _ in FIRST}
    folder.mkdir(parents=True, exist_ok=True)
    # Before the users: digests whose passwords nobody ever saw would lock everybody out.
    write_private(folder / FIRST_FILE, "".join(f"{name} {word}\n" for name, word in passwords.items()))
    for name, role in FIRST:
        users.put(name, role, passwords[name])
    return folder / FIRST_FILE
