"""A server as a child process on a free loopback port: started, waited for, stopped; gone when we are gone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class CannotStart(Exception):
    """A part did not come up; the text says why, in words for the person at the terminal."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def port_taken(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def answers(port: int) -> bool:
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def die_with_parent(by: int = signal.SIGKILL) -> None:
    """In the child, before exec: a supervisor that is killed with -9 leaves nothing running (Linux).

    The kernel looks at the thread that forked, not at the process: start children from the main thread.
    """
    with contextlib.suppress(OSError):
        ctypes.CDLL("libc.so.6", use_errno=True).prctl(1, int(by))  # PR_SET_PDEATHSIG


def make_folder(path: Path) -> None:
    """Raises CannotStart when the folder cannot be made or written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".probe"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise CannotStart(f"cannot write to {path}: {error.strerror or error}") from None


class Server:
    """One child process with a port and a log file in its data folder."""

    name = "server"
    patience = 60.0

    def __init__(self, data: Path, port: int | None = None) -> None:
        self.data = Path(data)
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise CannotStart(f"{self.name} is not running")
        return self._process.pid

    @property
    def log(self) -> Path:
        return self.data / f"{self.name}.log"

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        """What has to be there before the first start."""

    def ready(self) -> bool:
        return answers(self.port)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it answers. Raises CannotStart."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start without waiting; from the main thread (see die_with_parent). Raises CannotStart."""
        make_folder(self.data)
        if port_taken(self.port):
            raise CannotStart(
                f"port {self.port} for {self.name} is taken on 127.0.0.1: stop what uses it, or choose another"
            )
        self.prepare()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                env=self.environment(),
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops the parts in the right order
                preexec_fn=die_with_parent,
            )

    def wait_until_ready(self) -> None:
        """Raises CannotStart when it ends or does not answer in time; then it does not run any more."""
        self._wait(self.ready)

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def _wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.patience
        while not ready():
            if not self.running():
                raise CannotStart(f"{self.name} ended while starting: {self.last_words()} (all of it in {self.log})")
            if time.monotonic() > deadline:
                self.kill()
                raise CannotStart(f"{self.name} did not answer within {self.patience:.0f} s (see {self.log})")
            time.sleep(0.05)

    def last_words(self) -> str:
        try:
            lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            return "no log"
        for line in reversed(lines[-200:]):
            if "No space left" in line:
                return "the disk is full"
        return lines[-1][-300:] if lines else "no word in its log"

    def stop(self, patience: float = 30.0) -> None:
        """Ask it to end; kill it when it does not."""
        if self._process is None:
            return
        if self.running():
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._process = None

    def kill(self) -> None:
        """kill -9, as a test or a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()
