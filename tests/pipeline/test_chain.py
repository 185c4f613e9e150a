"""`truyvet f2`, `chain`, `explain` on a real Kafka and Redis, and the verifier beside them.

The spine's restaurant, and a market after it: binh (F1 from 12:20) is there from 14:00 to 15:00 with khoa, who is F2;
lan was there with binh at 10:00, before binh met the case, and is nobody. dung, beside the case too short to be F1,
stayed beside binh (20 min) and giang (40 min), and is F2 through each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from streams.rules.codes import exposure_id
from tests.pipeline.system import Servers, System
from tests.pipeline.test_spine import BINH, CASE, DUNG, GIANG, REPORT, SCANS, VENUES, pseudonym, scan, utc

KHOA, LAN = "079001000021", "079001000022"
VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_explanation.py"
MARKET = [
    *(
        scan(person, "cho", came)
        for person, came in ((BINH, "14:00"), (KHOA, "14:05"), (BINH, "10:00"), (LAN, "10:05"))
    ),
    *(
        scan(person, "cho", left, "out")
        for person, left in ((BINH, "15:00"), (KHOA, "15:00"), (BINH, "11:00"), (LAN, "11:00"))
    ),
]


@pytest.fixture(scope="module")
def system(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System(servers, tmp_path_factory.mktemp("chain")) as running:
        running.worker()
        running.publish("venues", VENUES, key="venue_id")
        running.publish("scans", [*SCANS, *MARKET])
        running.publish("cases", [REPORT], key="case_id")
        running.settle()
        yield running


def test_f2_and_the_graph(system: System, tmp_path: Path) -> None:
    done = system.run("f2", "c1", "--json")
    assert done.returncode == 0, done.stderr
    chain = json.loads(done.stdout)
    assert chain["f1"] == sorted([pseudonym(BINH), pseudonym(GIANG)])
    assert {f2["person"]: f2["via"] for f2 in chain["f2"]} == {
        pseudonym(KHOA): [pseudonym(BINH)],
        pseudonym(DUNG): sorted([pseudonym(BINH), pseudonym(GIANG)]),
    }
    (meeting,) = [m for m in chain["meetings"] if m["person"] == pseudonym(KHOA)]
    assert meeting["minutes"] == 55
    assert [(s["venue_id"], s["start"], s["end"]) for s in meeting["stays"]] == [("cho", utc("14:05"), utc("15:00"))]
    text = system.run("f2", "c1").stdout.decode()
    assert pseudonym(KHOA) in text
    assert pseudonym(LAN) not in text

    for form, read in ((".graphml", _graphml), (".json", _node_link)):
        file = tmp_path / f"chain{form}"
        assert system.run("chain", "c1", "--out", str(file)).returncode == 0
        graph = read(file)
        levels = {person: graph.nodes[person]["level"] for person in graph}
        assert levels == {
            pseudonym(CASE): "F0", pseudonym(BINH): "F1", pseudonym(GIANG): "F1", pseudonym(KHOA): "F2",
            pseudonym(DUNG): "F2",
        }  # fmt: skip
        (edge,) = graph.get_edge_data(pseudonym(BINH), pseudonym(KHOA)).values()
        assert (edge["venue_id"], edge["start"], edge["minutes"]) == ("cho", utc("14:05"), 55)
    page = tmp_path / "chain.html"
    assert system.run("chain", "c1", "--out", str(page)).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert pseudonym(KHOA) in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), "a page that asks for the network"

    assert system.run("chain", "c1", "--out", str(tmp_path / "chain.png")).returncode == 2
    for words in (("f2", "no-such"), ("chain", "no-such", "--out", str(page))):
        done = system.run(*words)
        assert done.returncode == 1
        assert b"no-such" in done.stderr


def _graphml(file: Path) -> Any:
    return nx.read_graphml(file, force_multigraph=True)


def _node_link(file: Path) -> Any:
    return nx.node_link_graph(json.loads(file.read_text(encoding="utf-8")), edges="edges")


def test_explain_is_what_stands_and_verifies(system: System) -> None:
    id_ = exposure_id("c1", pseudonym(BINH))
    done = system.run("explain", id_, "--json")
    assert done.returncode == 0, done.stderr
    told, stands = json.loads(done.stdout), system.exposures()[id_]
    assert told["exposure"] == {k: v for k, v in stands.items() if k not in ("revision", "status", "issued_at")}
    assert (verdict := _verified(done.stdout))[0] == 0, verdict
    told["exposure"]["score"] += 0.01
    code, said = _verified(json.dumps(told).encode())
    assert code == 1
    assert b"score" in said
    text = system.run("explain", id_).stdout.decode()
    for words in ("48.00", "medium", "they checked out", "3.3", pseudonym(CASE), "900 s are needed"):
        assert words in text
    done = system.run("explain", "0" * 32)
    assert done.returncode == 1
    assert b"no exposure" in done.stderr
    assert system.run("explain", "abc").returncode == 2


def _verified(told: bytes) -> tuple[int, bytes]:
    done = subprocess.run([sys.executable, "-I", VERIFIER], input=told, capture_output=True, check=False)
    return done.returncode, done.stdout
