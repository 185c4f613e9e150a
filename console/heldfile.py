"""A file that belongs to one living process: locked while that lives, free again however it ends, kill -9 included."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

_TRIES = 20


class HeldFile:
    """`HeldFile.claim(path)`, then `write`, then `release`. The lock is the truth; a file left behind means nothing."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor

    @staticmethod
    def claim(path: Path) -> HeldFile | None:
        """The file, empty and ours; None when a living process has it. OSError when it cannot be made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_ino == path.stat().st_ino:
                    # At once: until we write, a reader must not take what a killed process left for ours.
                    os.ftruncate(descriptor, 0)
                    return HeldFile(path, descriptor)
            except (BlockingIOError, FileNotFoundError):
                pass
            # A reader that looks whether we live holds it for an instant, and a leaving owner removes it under us.
            os.close(descriptor)
            time.sleep(0.02)
        return None

    def write(self, text: str) -> None:
        """Instead of what it held before."""
        content = text.encode()
        os.pwrite(self._descriptor, content, 0)
        os.ftruncate(self._descriptor, len(content))

    def release(self) -> None:
        """Remove it, then let go: in this order nobody can claim a file that is about to vanish unseen."""
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


def read_held(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file that somebody holds; None when nobody does or nothing is in it yet."""
    for _ in range(_TRIES):
        try:
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    return None
                except BlockingIOError:
                    found = json.loads(file.read() or b"null")
                    return found if isinstance(found, dict) else None
        except OSError:
            return None
        except ValueError:  # half written: it is being replaced this instant
            time.sleep(0.02)
    return None
