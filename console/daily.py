"""What `truyvet up` has done once a day: old codes leave the vault, and the audit's chains are anchored.

On one's own machines cron runs the same two commands (docs/operating.md). Here nobody would.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from console.supervising import ending
from streams.rules.days import DAY, LOCAL_OFFSET, date_of, local_day
from streams.runtime.process import die_with_parent

JOBS = (("vault", "sweep"), ("audit", "anchor", "--by", "truyvet up"))
HOUR = 3
"""local: from then on, or at the first look after it"""
CALM = 60.0
"""seconds after the start: whoever waits for it to be ready should not wait for this"""


class Daily:
    """`look()` a few times a second. `note`: a file that keeps the day on which all was done last; a start in between
    does nothing again. One that fails is tried again at the next start, or on the next day."""

    def __init__(
        self,
        note: Path,
        log: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._note, self._log, self._environment, self._say, self._now = note, log, environment, say, now
        self._from = now() + CALM
        self._tried = ""
        self._left: list[tuple[str, ...]] = []
        self._failed = False
        self._running: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """From the main thread (see die_with_parent)."""
        if self._running is not None:
            code = self._running.poll()
            if code is None:
                return
            self._running = None
            if code:
                self._failed = True
                self._say(f"`truyvet {' '.join(self._left[0][:2])}` ended ({ending(code)}); its words: {self._log}")
            self._left.pop(0)
            if not self._left and not self._failed:
                self._note.write_text(self._tried)
        elif not self._left and self._due():
            self._left, self._failed = list(JOBS), False
        if self._left and self._running is None:
            self._start(self._left[0])

    def _due(self) -> bool:
        now = self._now()
        day = date_of(local_day(int(now))).isoformat()
        if now < self._from or (now + LOCAL_OFFSET) % DAY < HOUR * 3_600 or day == self._tried:
            return False
        self._tried = day
        return not (self._note.exists() and self._note.read_text().strip() == day)

    def _start(self, job: tuple[str, ...]) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "console.main", *job],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self._environment),
                preexec_fn=die_with_parent,
            )

    def stop(self) -> None:
        """What was begun is left for the next start: either job may be cut off at any instant."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None
