"""A PostgreSQL of the benchmark's own: a cluster in a folder, reached by a socket in it, gone when we are gone."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

import psycopg

USER = "postgres"  # who runs the server where we are root, as whom it refuses to run; and the name of its superuser
PATIENCE = 60.0
STOPS = 15.0


def memory() -> int:
    """Bytes of the machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def settings() -> dict[str, str]:
    """What the manual and common advice have for a machine that serves this and nothing else."""
    mega = memory() >> 20
    return {
        "shared_buffers": f"{mega // 4}MB",
        "effective_cache_size": f"{mega // 2}MB",
        "work_mem": "64MB",
        "maintenance_work_mem": f"{mega // 8}MB",
        "random_page_cost": "1.1",
        "jit": "off",  # a query of milliseconds would be compiled for hundreds
        "synchronous_commit": "off",
        # A table that is made and filled at once needs no log then.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "16GB",
        "checkpoint_timeout": "30min",
        "autovacuum": "off",
        "listen_addresses": "",
        "timezone": "UTC",
    }


class Server:
    """`with Server(programs, folder) as connection_string`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder / "pg"
        self._log = self._folder / "log"

    def __enter__(self) -> str:
        self._folder.mkdir(mode=0o700)
        self._as: dict[str, object] = {"cwd": self._folder}
        if os.geteuid() == 0:
            who = pwd.getpwnam(USER)
            os.chown(self._folder, who.pw_uid, who.pw_gid)
            self._folder.parent.chmod(0o711)  # the way to it
            self._as |= {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        data = self._folder / "data"
        how = ("-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "--no-sync")
        made = subprocess.run(
            [self._programs / "initdb", "-D", data, *how], stdout=PIPE, stderr=STDOUT, text=True, **self._as
        )
        if made.returncode:
            sys.exit(f"initdb: {made.stdout.strip()}")
        options = [word for name, value in settings().items() for word in ("-c", f"{name}={value}")]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", data, "-k", self._folder, *options],
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
                **self._as,
            )
        try:
            return self._answering()
        except BaseException:
            self.__exit__()
            raise

    def _answering(self) -> str:
        address = f"host={self._folder} user={USER} dbname=postgres"
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(address).close()
                return address
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"PostgreSQL did not start: {error} {self._log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGQUIT)  # at once: what is not written out yet is thrown away as well
        try:
            self._process.wait(STOPS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _die_with_parent() -> None:
    """In the child: it quits at once when we are killed (Linux)."""
    ctypes.CDLL("libc.so.6").prctl(1, int(signal.SIGQUIT))  # PR_SET_PDEATHSIG
