"""A part that is away is given up before the watchdog takes its batch for a stuck one."""

from __future__ import annotations

import pytest

from streams.runtime.settings import Settings

WATCHDOG_LOOKS = 1.0  # seconds between two looks (watchdog.py)
KAFKA_MORE = 5.0  # seconds on top of the patience that a question to Kafka may take (kafka.py)
REDIS_PAUSE = 1.0  # seconds, the longest pause before Redis is tried again (redis.py)


@pytest.mark.parametrize("seconds", [20, 30, 31, 150, 3600])
def test_who_is_away_is_said_before_the_watchdog_ends_it(seconds: int) -> None:
    settings = Settings.load({"TRUYVET_BATCH_SECONDS": str(seconds)}, run_file=None)
    assert settings.patience + max(KAFKA_MORE, REDIS_PAUSE) < seconds - WATCHDOG_LOOKS
    assert 5.0 < settings.patience <= 30.0
