"""Words for people where something is not there: Kafka, Redis, a key, room on the disk; and tables that can be read."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from console.system import System
from console.tables import _narrowed, _width
from console.trouble import Trouble, kafka_at, redis_at
from streams.ports import StoreDown
from streams.runtime.embedded import EmbeddedKafka, EmbeddedRedis
from streams.runtime.process import CannotStart, Server, make_folder
from streams.runtime.settings import Settings

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("TRUYVET_")}


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port where nobody answers, and that nobody else gets meanwhile."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


def truyvet(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.main", *args],
        cwd=folder,
        env={**CLEAN, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", [["status"], ["topics"], ["exposures"], ["exposures", "--follow"]])
def test_no_kafka(tmp_path: Path, nobody: int, command: list[str]) -> None:
    done = truyvet(tmp_path, *command, TRUYVET_KAFKA=f"127.0.0.1:{nobody}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"truyvet: no Kafka answers at 127.0.0.1:{nobody} (TRUYVET_KAFKA)")
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""


def test_no_redis(tmp_path: Path, nobody: int) -> None:
    done = truyvet(tmp_path, "wait", TRUYVET_REDIS=f"redis://:secret@127.0.0.1:{nobody}/0")
    assert done.returncode == 1
    assert done.stderr == f"truyvet: no Redis answers at 127.0.0.1:{nobody} (TRUYVET_REDIS)\n"


def test_who_has_set_nothing_is_told_that_no_up_runs_here() -> None:
    nothing_set = Settings.load({}, Path("/nowhere"), None)
    with pytest.raises(Trouble, match="no `truyvet up` runs in this folder"), kafka_at(nothing_set):
        raise KafkaConnectionError
    with pytest.raises(Trouble, match="no `truyvet up` runs in this folder"), redis_at(nothing_set):
        raise StoreDown
    elsewhere = replace(nothing_set, kafka="prod:9092")
    with pytest.raises(Trouble) as trouble, kafka_at(elsewhere):
        raise KafkaConnectionError
    assert str(trouble.value.message) == "no Kafka answers at prod:9092 (TRUYVET_KAFKA)"


def test_a_worker_without_a_key_names_the_setting(tmp_path: Path) -> None:
    done = truyvet(tmp_path, "worker")
    assert done.returncode == 2
    assert done.stderr == "truyvet: TRUYVET_KEY: set it, or TRUYVET_KEY_FILE, to 32 characters or more\n"


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("TRUYVET_KAFKA", "kafka", "host:port, or several with commas between"),
        ("TRUYVET_REDIS", "cache.local:7000", "a URL such as redis://127.0.0.1:6379/0"),
        ("TRUYVET_KEY", "short", "32 characters or more"),
        ("TRUYVET_KEY_FILE", "/nowhere", "a file that can be read"),
        ("TRUYVET_POLICIES", "/nowhere", "a folder that is there"),
        ("TRUYVET_RETENTION_DAYS", "-1", "a whole number from 0 to 36500"),
        ("TRUYVET_RETENTION_CLOCK", "sun", "wall or stream"),
        ("TRUYVET_TOPIC_PREFIX", "a b", "letters, digits"),
        ("TRUYVET_PARTITIONS", "many", "a whole number from 1 to 10000"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(tmp_path: Path, name: str, value: str, right: str) -> None:
    for command in ("status", "up"):
        done = truyvet(tmp_path, command, **{name: value})
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith(f"truyvet: {name}: {right}"), done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert value not in done.stderr.removeprefix(f"truyvet: {name}: ") or len(value) < 3
    assert not (tmp_path / ".truyvet" / "truyvet.env").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = truyvet(tmp_path, "up", "--data", "file/below")
    assert done.returncode == 1
    assert done.stderr == "truyvet: cannot write to file/below: Not a directory\n"


def test_a_full_disk_when_the_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CannotStart, match=r"cannot write to .*: No space left on device"):
        make_folder(tmp_path / "data")


class Full(Server):
    """Ends as Kafka and Redis do on a full disk: with the system's words in its log, and more after them."""

    name = "kafka"

    def command(self) -> list[str]:
        return ["sh", "-c", "echo 'java.io.IOException: No space left on device'; echo shutting down; exit 1"]


def test_a_full_disk_while_a_server_starts(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="kafka ended while starting: the disk is full"):
        Full(tmp_path).start()


def test_a_server_that_ends_says_its_last_words(tmp_path: Path) -> None:
    redis = EmbeddedRedis(tmp_path)
    (tmp_path / "appendonlydir").write_text("not a folder")
    with pytest.raises(CannotStart, match=r"redis ended while starting: .+ \(all of it in .*redis\.log\)"):
        redis.start()


def test_missing_programs_and_jars_say_the_line_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match="redis-server is missing: run `apt-get install -y redis-server`"):
        EmbeddedRedis(tmp_path).start()
    with pytest.raises(CannotStart, match="java is missing: run `apt-get install -y openjdk-17-jre-headless`"):
        EmbeddedKafka(tmp_path).start()


def test_the_settings_of_up_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """.env may hold what the production Kafka wants; the workers of `up` talk to another one, in plain text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TRUYVET_KAFKA=prod:9093\nTRUYVET_KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT\n")
    system = System(tmp_path / "data", 1, None, (None, None, 0))
    own = system._own
    assert own["TRUYVET_KAFKA"] == system.kafka.address == system.settings.kafka
    assert own["TRUYVET_KAFKA_SECURITY_PROTOCOL"] == "PLAINTEXT" and system.settings.kafka_security == {}
    assert own["TRUYVET_KEY_FILE"] == str(tmp_path / "data" / "key")
    system._held.release()


# --- tables ---------------------------------------------------------------------------------------------------------

COLUMNS = ("case", "person", "level", "score")
ROWS = [("case-1", "p" * 28, "F1", "48.00")]


def test_a_narrow_terminal_loses_columns_in_the_order_given() -> None:
    wide = _width(COLUMNS, ROWS)
    assert wide == 6 + 28 + 5 + 5 + 3 * 4 + 1
    assert _narrowed(COLUMNS, ROWS, ("level", "case"), wide) == (COLUMNS, ROWS, [])
    columns, rows, left_out = _narrowed(COLUMNS, ROWS, ("level", "case"), wide - 1)
    assert (list(columns), rows, left_out) == (["case", "person", "score"], [["case-1", "p" * 28, "48.00"]], ["level"])
    columns, rows, left_out = _narrowed(COLUMNS, ROWS, ("level", "case"), 10)
    assert (list(columns), left_out) == (["person", "score"], ["level", "case"])


def test_a_pipe_gets_every_column_whole(tmp_path: Path) -> None:
    code = (
        "from console.tables import table; "
        f"table('t', {COLUMNS!r}, [('c' * 60, 'p' * 28, 'F1', '48.00')], ('score',), ('case', 'level'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "c" * 60 in done.stdout and "level" in done.stdout and "Left out" not in done.stdout


def test_status_without_up_has_no_pids_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run file of this folder's `up` says nothing about another Kafka."""
    from console.heldfile import HeldFile
    from console.state import running_up
    from streams.runtime.settings import RUN_FILE

    monkeypatch.chdir(tmp_path)
    said = HeldFile.claim(tmp_path / "up.json")
    run = HeldFile.claim(RUN_FILE)
    assert said is not None and run is not None
    said.write(json.dumps({"kafka": "127.0.0.1:5", "pids": {"kafka": 1}}))
    run.write(f"TRUYVET_UP={tmp_path / 'up.json'}\nTRUYVET_KAFKA=127.0.0.1:5\n")
    # A lock counts between processes and between open files alike, so this one may look at its own.
    assert running_up(Settings.load({})) == {"kafka": "127.0.0.1:5", "pids": {"kafka": 1}}
    assert running_up(Settings.load({"TRUYVET_KAFKA": "127.0.0.1:6"})) == {}
    run.release()
    assert running_up(Settings.load({})) == {}
    said.release()
