"""What the pipeline is measured beside, each a program of its own: `python -m console.bench.peers.NAME`.

A peer reads PEER_KAFKA, PEER_REDIS, PEER_TOPIC and PEER_MARKS (numbers of scans) from its environment and prints a mark
on a line when it has worked off so many.
"""

from __future__ import annotations

import os


class Marks:
    """Says on standard output when a number of scans that somebody waits for is worked off."""

    def __init__(self) -> None:
        self._left = sorted(int(mark) for mark in os.environ["PEER_MARKS"].split(","))
        self._done = 0

    def add(self, scans: int) -> None:
        self._done += scans
        while self._left and self._done >= self._left[0]:
            # Straight to the descriptor: Faust replaces sys.stdout by a logger.
            os.write(1, b"%d\n" % self._left.pop(0))
