"""The job of `truyvet bench ingest` on Quix Streams, run by the Python of .peers/venv (console/bench/foreign.py).

As its documentation has it: one pass over the scans, grouped by person and, beside it, by venue (a dataframe can be
grouped once); the state of a key holds its scans, and each side knows by itself which it has seen. One process, which
is one thread: what grows is the number of processes, for it as for a worker of ours.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

from quixstreams import Application, State
from rocksdict import AccessType, Options, Rdict

COUNTED = "n"


class Marks:
    """A mark is reached when both sides are past it. `last` is set at the last one."""

    def __init__(self) -> None:
        self._left = sorted(int(mark) for mark in os.environ["PEER_MARKS"].split(","))
        self._done = {"person": 0, "venue": 0}
        self.last = threading.Event()

    def add(self, side: str) -> None:
        self._done[side] += 1
        if self._done[side] < self._left[0] or min(self._done.values()) < self._left[0]:
            return
        os.write(1, b"%d\n" % self._left[0])
        if len(self._left) > 1:
            del self._left[0]
        else:
            self._left[0] = 1 << 62
            self.last.set()


def main() -> None:
    marks, folder = Marks(), os.environ["PEER_STATE"]
    app = Application(
        broker_address=os.environ["PEER_KAFKA"],
        consumer_group=os.environ["PEER_GROUP"],
        auto_offset_reset="earliest",
        state_dir=folder,
        loglevel="WARNING",
        # It sleeps while its load is published, and must not be thrown out for that.
        consumer_extra_config={"session.timeout.ms": 900_000, "max.poll.interval.ms": 3_600_000},
        producer_extra_config={"linger.ms": 20, "compression.type": "lz4", "batch.size": 256 << 10},
    )
    scans = app.dataframe(app.topic(os.environ["PEER_TOPIC"], value_deserializer="json"))
    scans = scans.apply(lambda value: value if isinstance(value, list) else [value], expand=True)

    def by_person(scan: dict[str, Any], state: State) -> None:
        entry = f"{scan['venue_id']} {_rest(scan)}"
        if not state.exists(entry):
            state.set(entry, 1)
        marks.add("person")

    def by_venue(scan: dict[str, Any], state: State) -> None:
        entry = f"{scan['person']} {_rest(scan)}"
        if not state.exists(entry):
            state.set(entry, 1)
            state.set(COUNTED, state.get(COUNTED, 0) + 1)
        marks.add("venue")

    scans.group_by("person").update(by_person, stateful=True)
    scans.group_by("venue_id").update(by_venue, stateful=True)
    threading.Thread(target=_stop, args=(app, marks), daemon=True).start()
    app.run()
    if marks.last.is_set():
        os.write(1, b"kept %d %d %d\n" % _kept(Path(folder)))
        signal.pause()


def _rest(scan: dict[str, Any]) -> str:
    return f"{scan['scanned_at']}{scan.get('direction', 'in')[0]}{scan.get('role', 'visitor')[0]}"


def _stop(app: Application, marks: Marks) -> None:
    """End it, so that what it has kept is in its files; not before the mark was read and the clock stopped."""
    marks.last.wait()
    threading.Event().wait(0.5)
    app.stop()


def _kept(folder: Path) -> tuple[int, int, int]:
    """Scans by person, by venue, and counted by venue, read from RocksDB as it lies there."""
    by: dict[str, int] = {"person": 0, "venue_id": 0}
    counted = 0
    for file in folder.rglob("CURRENT"):
        side = "venue_id" if "venue_id" in str(file) else "person"
        store = Rdict(str(file.parent), Options(raw_mode=True), access_type=AccessType.read_only())
        for key, value in store.items():
            if key.endswith(b'"%s"' % COUNTED.encode()) or key.endswith(b"|" + COUNTED.encode()):
                counted += int(value)
            else:
                by[side] += 1
        store.close()
    return by["person"], by["venue_id"], counted


if __name__ == "__main__":
    main()
