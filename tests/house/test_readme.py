"""What README.md says is there: links, commands, targets; its Python example is run by tests/pipeline/test_up.py."""

from __future__ import annotations

import re
from pathlib import Path

from console.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def example() -> str:
    found = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_table_has_every_command_and_no_other() -> None:
    table = README.split("| command | does |")[1].split("\n\n")[0]
    named = {
        words.split()[0] for words in re.findall(r"`([a-z0-9 ]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.M)))
    }
    assert named == set(COMMANDS)


def test_every_truyvet_command_it_shows_exists() -> None:
    shown = set(re.findall(r"truyvet ([a-z]+)", README)) - {"up"}
    assert shown <= set(COMMANDS), shown - set(COMMANDS)


def test_make_has_every_target_it_shows_and_help_lists_them() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.M))
    assert {"install", "demo", "test", "faults", "bench", "lint", "clean"} <= targets
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.M)) <= targets


def test_the_build_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    calls = [line for line in script.splitlines() if re.match(r"\s*make ", line)]
    assert calls == ["make test </dev/null"]
    assert re.search(r"^make test ", README, re.M)


def test_folders_of_the_tree_exist() -> None:
    tree = README.split("## How the tree is laid out")[1]
    for folder in re.findall(r"^\| `([a-z/]+)/` ", tree, re.M):
        assert (ROOT / folder).is_dir(), folder
