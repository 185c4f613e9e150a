"""The rate limit: a token bucket for each client address. A batch may overdraw it, and then waits for longer."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

_FORGET_ABOVE = 10_000  # addresses


class Buckets:
    """`rate` scans a second for each address, and what it did not use of the last `burst` seconds; 0 = no limit."""

    def __init__(self, rate: int, burst: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most, self._clock = rate, rate * burst, clock
        self._levels: dict[str, tuple[float, float]] = {}

    def wait(self, client: str) -> float:
        """Seconds until this client may send again; 0.0 = now."""
        return max(0.0, -self._level(client) / self._rate) if self._rate else 0.0

    def spend(self, client: str, scans: int) -> None:
        """One request of so many scans; one with none costs as much as one with one."""
        if not self._rate:
            return
        if len(self._levels) > _FORGET_ABOVE:
            self._forget()
        self._levels[_one(client)] = (self._level(client) - max(1, scans), self._clock())

    def _level(self, client: str) -> float:
        level, at = self._levels.get(_one(client), (self._most, 0.0))
        return min(self._most, level + (self._clock() - at) * self._rate)

    def _forget(self) -> None:
        """Those that are full again are as good as never seen."""
        now = self._clock()
        self._levels = {
            name: (level, at)
            for name, (level, at) in self._levels.items()
            if level + (now - at) * self._rate < self._most
        }


def _one(client: str) -> str:
    """A machine with IPv6 has 2⁶⁴ addresses to choose from: they count as one."""
    if ":" not in client:
        return client
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped) if mapped else address.exploded[:19]
