"""Keep N child processes of one command running: start again what ends, slower when it keeps ending."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streams.runtime.process import die_with_parent

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
CALM = 60.0
"""seconds of life after which an end counts as the first one again"""
LOG_LIMIT = 16 << 20
_TAIL = 64 << 10


class Backoff:
    """Pauses before the next start: 0.5 s, doubled at each early end up to 30 s."""

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE

    def after(self, lived: float) -> float:
        """Seconds to wait after a process that lived so many seconds."""
        if lived >= CALM:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return pause


class Child:
    """One place in the crew: a process, or the time at which the next one is due."""

    def __init__(self, name: str, log: Path, command: Sequence[str], pass_fds: Sequence[int] = ()) -> None:
        self.name, self.log = name, log
        self._command, self._pass_fds = list(command), tuple(pass_fds)
        self.environment: Mapping[str, str] = os.environ
        self._backoff = Backoff()
        self.process: subprocess.Popen[bytes] | None = None
        self._began = self._due = 0.0
        self.ends = 0

    def start(self, now: float) -> None:
        """From the main thread (see die_with_parent)."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for the supervisor alone: the crew ends before Kafka does
                preexec_fn=die_with_parent,
                pass_fds=self._pass_fds,
            )
        self._began = now

    def look(self, now: float) -> str | None:
        """Start it again when it ended and its pause is over; words when something happened."""
        if self.process is None:
            if now < self._due:
                return None
            self.start(now)
            return None
        code = self.process.poll()
        if code is None:
            return None
        pause = self._backoff.after(now - self._began)
        self.process, self._due = None, now + pause
        self.ends += 1
        return f"{self.name} ended ({ending(code)}); starting it again in {pause:g} s (its log: {self.log})"

    def last_words(self) -> str:
        """The last line of its log that says something."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _TAIL))
                lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        except OSError:
            return "no log"
        return lines[-1].strip()[-300:] if lines else "no word in its log"


class Crew:
    """`count` children of one command, each a log `NAME-1.log` … in `logs` each; open files of `pass_fds` too."""

    def __init__(
        self,
        name: str,
        count: int,
        command: Sequence[str],
        logs: Path,
        clock: Callable[[], float] = time.monotonic,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._clock = clock
        self.children = [Child(f"{name} {n}", logs / f"{name}-{n}.log", command, pass_fds) for n in range(1, count + 1)]

    @property
    def pids(self) -> list[int]:
        """Of those that run at this moment."""
        return [child.process.pid for child in self.children if child.process and child.process.poll() is None]

    def start(self, environment: Mapping[str, str]) -> None:
        """`environment` is that of every later start too."""
        for child in self.children:
            child.environment = dict(environment)
            keep_short(child.log)
            child.start(self._clock())

    def look(self) -> list[str]:
        """To be called a few times a second: starts what is due; says in words what ended."""
        now = self._clock()
        return [words for child in self.children if (words := child.look(now))]

    def stop(self, patience: float) -> None:
        """SIGTERM to all, so that each finishes what it has in hand; after `patience` seconds SIGKILL."""
        left = [child.process for child in self.children if child.process is not None]
        for process in left:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)  # one that was paused would never hear of it
                process.terminate()
        until = time.monotonic() + patience
        for process in left:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in self.children:
            child.process = None


def ending(code: int) -> str:
    """Exit code or signal, as people say it."""
    if code >= 0:
        return f"exit {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def keep_short(log: Path) -> None:
    """A log over 16 MiB makes room at the next start; one older log is kept."""
    try:
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
    except FileNotFoundError:
        pass
