"""A progress bar on standard error, when that is a terminal; else a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY = 10.0


class Progress:
    """`to(done)` says how much is done. Cheap enough to be called for every batch, not for every scan."""

    def to(self, done: float, note: str = "") -> None:
        """`done` of the total that the bar was made with."""


class _Plain(Progress):
    def __init__(self, what: str, total: float) -> None:
        self.what, self.total = what, total
        self.last = time.monotonic()

    def to(self, done: float, note: str = "") -> None:
        now = time.monotonic()
        if now - self.last >= _EVERY and self.total > 0:
            self.last = now
            print(f"{self.what}: {min(100.0, 100 * done / self.total):.0f} % {note}".rstrip(), file=sys.stderr)


@contextmanager
def progress(what: str, total: float) -> Iterator[Progress]:
    """A bar over `total` of anything; 0 = unknown, it only shows that something moves."""
    if not sys.stderr.isatty():
        yield _Plain(what, total)
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.TaskProgressColumn(),
        rich.TextColumn("{task.fields[note]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        task = bars.add_task(what, total=total or None, note="")

        class _Bar(Progress):
            def to(self, done: float, note: str = "") -> None:
                bars.update(task, completed=done, note=note)

        yield _Bar()
