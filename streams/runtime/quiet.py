"""Logging of a worker: to standard error, and no flood.

While a broker is away aiokafka writes some 70 lines a second and worker; what our own code has to say would drown.
"""

from __future__ import annotations

import logging
import sys
import time


class FewLines(logging.Filter):
    """Of each message of the named libraries (its text before values are put in), one in `seconds`; then how many more
    there were."""

    def __init__(self, names: tuple[str, ...] = ("aiokafka", "faust", "mode"), seconds: float = 10.0) -> None:
        super().__init__()
        self._names, self._seconds = names, seconds
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(self._names):
            return True
        key = (record.name, str(record.msg))
        last, kept_back = self._last.get(key, (0.0, 0))
        now = time.monotonic()
        if last and now - last < self._seconds:
            self._last[key] = (last, kept_back + 1)
            return False
        if len(self._last) > 1000:
            self._last.clear()
        self._last[key] = (now, 0)
        if kept_back:
            record.msg = f"{record.getMessage()} ({kept_back} more of these)"
            record.args = ()
        return True


def log_to_stderr() -> None:
    """For the process of a worker."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(FewLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("truyvet").setLevel(logging.INFO)
    # The command line silences it for commands that say in one sentence what aiokafka says in ten.
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
