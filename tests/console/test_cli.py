"""The command line: help, wrong use, and failures in words."""

from __future__ import annotations

import errno
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from console.main import COMMANDS, truyvet
from console.trouble import Trouble, explained, redis_address

ROOT = Path(__file__).resolve().parents[2]


def run(*args: str, text: str | bytes | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(truyvet, list(args), input=text, env=env)


def test_help_names_every_command_and_each_has_its_own() -> None:
    listed = run("--help")
    assert listed.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name}" in listed.stdout
        own = run(name, "--help")
        assert own.exit_code == 0, name
        assert f"Usage: truyvet {name}" in own.stdout
        assert len(own.stdout.splitlines()) > 4, f"{name} explains nothing"


def test_every_command_is_in_a_file_of_its_own() -> None:
    for name in COMMANDS:
        found = importlib.import_module(f"console.commands.{name}").command
        assert isinstance(found, click.Command)
    files = {path.stem for path in (ROOT / "console" / "commands").glob("*.py")} - {"__init__"}
    assert files == set(COMMANDS)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["replya"], "Did you mean 'replay'"),
        (["simulate"], "--out FOLDER"),
        (["simulate", "--people", "3", "--out", "x"], "--people"),
        (["simulate", "--people", "100", "--cases", "50", "--out", "x"], "--cases"),
        (["simulate", "--start", "tomorrow", "--out", "x"], "YYYY-MM-DD"),
        (["replay"], "FILE"),
        (["replay", "no-such-file.csv"], "no-such-file.csv"),
        (["replay", "--batch", "1001", "-"], "--batch"),
        (["replay", "--speed", "0", "-"], "--speed"),
        (["wait", "--timeout", "soon"], "--timeout"),
        (["case"], "report"),
        (["case", "withdraw"], "ID"),
        (["case", "report", "--sampled", "yesterday-ish"], "a time is"),
        (["rejects", "--reason", "because"], "--reason"),
        (["exposures", "--cases"], "--case"),
    ],
)
def test_wrong_use_ends_with_2_and_names_it(args: list[str], words: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_help_answers_at_once() -> None:
    """Nothing heavy may be loaded for it: numpy, Kafka or Faust would take a second."""
    code = (
        "import sys; from console.main import truyvet; truyvet(['--help'], standalone_mode=False); "
        "sys.exit([m for m in ('numpy', 'aiokafka', 'faust', 'redis', 'rich') if m in sys.modules] or 0)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 5


def test_simulate_writes_what_it_says(tmp_path: Path) -> None:
    args = ["simulate", "--people", "300", "--venues", "60", "--days", "2", "--cases", "3", "--seed", "5"]
    result = run(*args, "--out", str(tmp_path / "a"), "--json")
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)
    for name in ("venues", "scans", "cases"):
        written = (tmp_path / "a" / f"{name}.ndjson").read_bytes()
        assert written.count(b"\n") == counts[name] > 0
    plain = run(*args, "--out", str(tmp_path / "b"))
    assert f"{counts['scans']:,} scans, 3 cases of 300 people" in plain.stdout
    for name in ("venues", "scans", "cases"):
        assert (tmp_path / "a" / f"{name}.ndjson").read_bytes() == (tmp_path / "b" / f"{name}.ndjson").read_bytes()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "the disk is full (/x/y)"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "no right to write or read here (/x)"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "that port is taken by another program"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/gone"), "No such file or directory (/gone)"),
    ],
)
def test_failures_of_the_machine_are_sentences(error: OSError, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, explained():
        raise error
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"truyvet: {words}\n"


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), explained():
        raise ZeroDivisionError


def test_trouble_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), explained():
        raise Trouble("no Kafka answers")
    captured = capsys.readouterr()
    assert captured.err == "truyvet: no Kafka answers\n" and captured.out == ""


def test_no_password_is_shown() -> None:
    assert redis_address("redis://:geheim@10.0.0.1:7000/2") == "10.0.0.1:7000"
    assert redis_address("rediss://user:geheim@cache") == "cache:6379"
    assert redis_address("redis+cluster://user:geheim@a:7000,b") == "a:7000,b:6379"


def test_output_into_a_closed_pipe_is_no_failure(tmp_path: Path) -> None:
    """`truyvet … | head`."""
    script = f"{sys.executable} -m console.main simulate --people 100 --venues 60 --out {tmp_path} --json | true"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    assert done.returncode == 0 and done.stderr.strip() == ""
