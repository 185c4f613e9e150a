"""How a command that supervises others is asked to end: once politely, twice not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM and a closed terminal raise KeyboardInterrupt, as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def second_signal_kills() -> None:
    """Who asks twice does not want to wait: our children die with us (die_with_parent); every part survives that."""

    def now(*_: object) -> None:
        os._exit(130)

    for number in ENDING:
        signal.signal(number, now)
