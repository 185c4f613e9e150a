"""CPU seconds by process: rates change with the hour on a busy machine, CPU microseconds a scan much less."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psutil


class Meter:
    """`with Meter({"worker": pid, …}) as meter: …`, then `meter.wall` and `meter.cpu[name]`, both in seconds.

    A process counts with its threads, and with the children that it had at the start and at the end (a redis-server
    that rewrites its file does so in a child).
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self.cpu: dict[str, float] = {}
        self.wall = 0.0

    def __enter__(self) -> Meter:
        self._before = {name: _used(process) for name, process in self._processes.items()}
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._began
        self.cpu = {name: _used(process) - self._before[name] for name, process in self._processes.items()}


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
