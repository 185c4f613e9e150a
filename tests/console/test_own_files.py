"""The files of `truyvet up`: who holds them, what a killed one leaves behind, the key."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console.heldfile import HeldFile, read_held
from console.ownkey import key_file
from console.trouble import WrongUse
from streams.runtime.settings import Settings, read_run_file

HOLDER = """
import sys, time
from pathlib import Path
from console.heldfile import HeldFile
held = HeldFile.claim(Path(sys.argv[1]))
held.write(sys.argv[2])
print("held", flush=True)
time.sleep(100)
"""


def holder(path: Path, text: str) -> subprocess.Popen[bytes]:
    """Another process that holds the file."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path), text], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_held_file_has_one_holder_and_is_free_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "below" / "up.json"
    with holder(path, '{"pid": 7}') as other:
        assert HeldFile.claim(path) is None
        assert read_held(path) == {"pid": 7}
        other.kill()
        other.wait()
    assert path.exists(), "a kill leaves the file"
    assert read_held(path) is None, "and nobody believes it"
    mine = HeldFile.claim(path)
    assert mine is not None
    assert path.read_bytes() == b"", "what the other left must not be taken for ours"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    mine.write(json.dumps({"long": "x" * 100}))
    mine.write("{}")
    assert path.read_text() == "{}"
    mine.release()
    assert not path.exists() and read_held(path) is None


def test_settings_come_from_the_run_file_only_while_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "truyvet.env"
    text = "TRUYVET_KAFKA=127.0.0.1:5\nTRUYVET_REDIS=redis://127.0.0.1:6/0\n"
    with holder(path, text) as other:
        found = Settings.load({}, tmp_path / ".env", path)
        assert (found.kafka, found.redis) == ("127.0.0.1:5", "redis://127.0.0.1:6/0")
        assert Settings.load({"TRUYVET_KAFKA": "mine:9092"}, tmp_path / ".env", path).kafka == "mine:9092"
        assert Settings.load({}, tmp_path / ".env", None).kafka == "127.0.0.1:9092"
        other.kill()
        other.wait()
    assert path.read_text() == text
    assert read_run_file(path) == {}
    assert Settings.load({}, tmp_path / ".env", path).kafka == "127.0.0.1:9092"


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = key_file(tmp_path, b"")
    assert path == (tmp_path / "key").resolve()
    key = path.read_bytes()
    assert len(key.strip()) == 64 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file(tmp_path, b"") == path and path.read_bytes() == key
    other = tmp_path / "other"
    other.mkdir()
    made = key_file(other, b"")
    assert made is not None and made.read_bytes() != key
    assert Settings.load({"TRUYVET_KEY_FILE": str(path)}, tmp_path / ".env", None).key == key.strip()


def test_a_half_made_key_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "key.part").write_text("abc")
    path = key_file(tmp_path, b"")
    assert path is not None and len(path.read_bytes().strip()) == 64
    assert not (tmp_path / "key.part").exists()


def test_a_key_of_the_settings_is_used_and_none_is_made(tmp_path: Path) -> None:
    assert key_file(tmp_path, b"k" * 32) is None
    assert os.listdir(tmp_path) == []


def test_another_key_than_the_folders_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = key_file(tmp_path, b"")
    assert path is not None
    assert key_file(tmp_path, path.read_bytes().strip()) is None, "the same key, from the settings"
    with pytest.raises(WrongUse, match=r"TRUYVET_KEY: another key than the one that .* was filled with") as refused:
        key_file(tmp_path, b"k" * 32)
    assert "kkk" not in str(refused.value) and path.read_text().strip() not in str(refused.value)
