"""One worker process: all agents, on the Kafka and Redis of the settings."""

from __future__ import annotations

import sys
from typing import NoReturn

from agents.registry import attach
from streams.runtime.serving import serve
from streams.runtime.settings import Settings


def main(settings: Settings) -> NoReturn:
    """Serve until SIGTERM; ends the process with a code of `streams.runtime.exits`."""
    sys.exit(serve(settings, attach))
