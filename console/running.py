"""A system of its own: `truyvet up` as a child process, and the way to its Kafka and Redis."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.trouble import Trouble
from streams.runtime.process import die_with_parent

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

_START = 90.0
_STOP = 30.0
_TAIL = 6


class Running:
    """`with Running(data, workers) as system:` starts it and, leaving, ends it cleanly (SIGTERM, then patience)."""

    def __init__(self, data: Path, workers: int, partitions: int = 4) -> None:
        self._data = data
        self._log = data / "up.log"
        self._arguments = ["up", "--data", str(data), "--workers", str(workers), "--partitions", str(partitions)]
        self._ready: dict[str, Any] | None = None

    def __enter__(self) -> Running:
        # The log of one start is enough; a demo that is started daily must not fill a disk.
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "console.main", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                # Ctrl-C is for us: we end the child in order, it must not get the same signal from the terminal.
                start_new_session=True,
                # Killed, we cannot end it any more; then it gets the same SIGTERM from the kernel.
                preexec_fn=partial(die_with_parent, signal.SIGTERM),
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(_STOP)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()

    def ready(self) -> dict[str, Any]:
        """The line that `up` prints when all runs. Raises Trouble with the end of its log when it does not come."""
        if self._ready is None:
            line = self._first_line()
            if not line:
                raise Trouble(f"`truyvet up` did not come up: {self._last_words()}")
            self._ready = json.loads(line)
        return self._ready

    def _first_line(self) -> bytes:
        out = self._child.stdout
        assert out is not None
        line, until = b"", time.monotonic() + _START
        while not line.endswith(b"\n"):
            if not select.select([out], [], [], max(0.0, until - time.monotonic()))[0]:
                return b""
            piece = os.read(out.fileno(), 4096)
            if not piece:
                return b""
            line += piece
        return line

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-_TAIL:]) or f"see {self._log}"

    def environment(self) -> dict[str, str]:
        """The settings under which any other `truyvet` command speaks to this system."""
        ready = self.ready()
        return {
            "TRUYVET_KAFKA": ready["kafka"],
            "TRUYVET_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "TRUYVET_REDIS": ready["redis"],
        }

    def settings(self) -> Settings:
        from streams.runtime.settings import Settings

        return Settings.load({**os.environ, **self.environment()})

    def to_look_around(self, case_id: str) -> list[str]:
        """Lines for another terminal in this folder. The settings only where the run file is not this system's."""
        from streams.runtime.settings import Settings

        found = Settings.load()
        ours = (found.kafka, found.redis) == (self.ready()["kafka"], self.ready()["redis"])
        settings = [] if ours else [f"export {name}={value}" for name, value in self.environment().items()]
        # `make demo` runs it out of .venv, where no PATH leads.
        program = "truyvet" if shutil.which("truyvet") else min(os.path.relpath(sys.argv[0]), sys.argv[0], key=len)
        return [
            *settings,
            f"{program} status",
            f"{program} exposures --case {case_id}",
            f"{program} exposures --follow",
        ]

    def to_sign_in(self) -> list[str]:
        """The desk's first users and their passwords, while the file with them is there; for a terminal only."""
        from console.deskpage.users import FIRST_FILE

        try:
            users = (self._data / "desk" / FIRST_FILE).read_text("utf-8").splitlines()
        except FileNotFoundError:
            return ["sign in as a user of `truyvet desk user list`"]
        return [f"sign in as {name}, password {word}" for name, word in map(str.split, users)]

    def until_interrupted(self) -> None:
        """Wait for Ctrl-C or SIGTERM; raises Trouble when the system ends by itself."""
        try:
            code = self._child.wait()
        except KeyboardInterrupt:
            return
        raise Trouble(f"`truyvet up` ended by itself with {code}: {self._last_words()}")
