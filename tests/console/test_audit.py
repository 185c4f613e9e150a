"""`truyvet reidentify`, `audit` and `vault` without a Kafka: wrong use, and what is said when nothing answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.main import truyvet
from console.trouble import explained

PSEUDONYM = "p1aaaaaaaaaaaaaaaaaaaaaaaaaa"
CODE = "079001990002"
NOBODY = {"TRUYVET_KAFKA": "127.0.0.1:9", "TRUYVET_REDIS": "redis://127.0.0.1:9/0", "TRUYVET_KEY": "k" * 40}
WHY = ("--by", "An", "--reason", "call back")


def run(*args: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(truyvet, list(args), env={**NOBODY, **(env or {})})


def ended(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str]:
    """As `main` ends it: exit code and standard error."""
    with pytest.raises(SystemExit) as end, explained():
        truyvet(list(args), standalone_mode=False)
    captured = capsys.readouterr()
    assert captured.out == ""
    return end.value.code, captured.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["reidentify"], "PSEUDONYM"),
        (["reidentify", PSEUDONYM], "--by"),
        (["reidentify", PSEUDONYM, "--by", "An"], "--reason"),
        (["reidentify", PSEUDONYM, "--by", " ", "--reason", "call back"], "--by"),
        (["reidentify", PSEUDONYM, "--by", "An", "--reason", "\t"], "--reason"),
        (["reidentify", CODE, *WHY], "PSEUDONYM 1"),
        (["reidentify", PSEUDONYM, PSEUDONYM.upper(), *WHY], "PSEUDONYM 2"),
        (["audit"], "verify"),
        (["audit", "show", "--action", "looked"], "--action"),
        (["audit", "show", "--since", "lately"], "--since"),
        (["audit", "show", "--limit", "0"], "--limit"),
        (["vault"], "keys"),
        (["vault", "keys"], "--out"),
    ],
)
def test_wrong_use_ends_with_2_names_it_and_repeats_no_code(args: list[str], words: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert words in result.stderr and CODE not in result.output
    assert "Traceback" not in result.stderr


def test_no_audit_no_answer_where_nothing_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NOBODY.items():
        monkeypatch.setenv(name, value)
    assert ended(capsys, "reidentify", PSEUDONYM, *WHY) == (
        1,
        "truyvet: no Redis answers at 127.0.0.1:9 (TRUYVET_REDIS)\n",
    )
    for words in (["audit", "show"], ["audit", "verify"], ["audit", "anchor"]):
        assert ended(capsys, *words) == (1, "truyvet: no Kafka answers at 127.0.0.1:9 (TRUYVET_KAFKA)\n")


def test_a_private_key_is_never_overwritten_and_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "desk.key"
    made = run("vault", "keys", "--out", str(file), "--escrow")
    assert made.exit_code == 0 and made.stdout.startswith("TRUYVET_ESCROW_PUBLIC=")
    private = file.read_text().strip()
    assert private not in made.output and file.stat().st_mode & 0o077 == 0
    again = run("vault", "keys", "--out", str(file))
    assert again.exit_code == 1 and "is there already" in again.stderr
    assert file.read_text().strip() == private
