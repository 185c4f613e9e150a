"""deploy/grafana: every panel asks for something that there is, and what is provisioned fits together."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.ports import Call
from streams.runtime.metrics import METRICS
from streams.runtime.settings import Settings
from streams.runtime.topics import TOPICS
from tests.console import town
from tests.simulation.redis import RedisServer, private_server

GRAFANA = Path(__file__).resolve().parents[2] / "deploy" / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
OF_OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
"""What Prometheus and prometheus_client have themselves."""
PERSONS = {"persons", "persons_est", "staff_persons", "inside_now", "f1", "high", "medium", "low", "held"}
PERSONS |= {"raised_today", "withdrawn_today"}
"""Fields of `tv:pub:*` that count persons (messages.md, rule 11)."""
CHOSEN = {"$level": "commune", "$area": "19363", "$organisation": "tram", "$venue": "cho", "$gateway": "g1"}


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def panels(kind: str = "") -> list[dict[str, Any]]:
    found = [panel for path in BOARDS for panel in load(path)["panels"] if panel["type"] != "row"]
    return [panel for panel in found if panel["datasource"]["type"].startswith(kind)]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        asyncio.run(town.live(running))
        yield running


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_well_formed(path: Path) -> None:
    board = load(path)
    every = board["panels"]
    assert len({panel["id"] for panel in every}) == len(every) > 10
    for panel in every:
        place = panel["gridPos"]
        assert place["w"] > 0 and place["h"] > 0 and 0 <= place["x"] <= 24 - place["w"], panel["title"]
    for a, b in combinations([panel["gridPos"] for panel in every], 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    used = set(re.findall(r"\$([a-z]+)", json.dumps(every)))
    assert used == {variable["name"] for variable in board["templating"]["list"]}
    assert board["timezone"] == "Asia/Ho_Chi_Minh"


def test_every_metric_of_a_panel_is_in_the_list_with_its_labels() -> None:
    known: dict[str, set[str]] = {}
    for metric in METRICS:
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        for end in ends:
            known[metric.name + end] = set(metric.labels) | ({"le"} if end == "_bucket" else set())
    used = set()
    for panel in panels("prometheus"):
        for target in panel["targets"]:
            expr = target["expr"]
            names = set(re.findall(r"\b(truyvet_\w+|process_\w+|up)\b", expr))
            assert names and names <= set(known) | OF_OTHERS, expr
            ours = names & set(known)
            labels = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expr) for label in group.split(",")}
            labels |= set(re.findall(r"\{(\w+)=", expr)) - {"job"}
            labels |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - {"instance"}
            for name in ours:
                assert labels <= known[name], expr
            for topic in re.findall(r'topic="(\w+)"', expr):
                assert topic in {t.name for t in TOPICS}, expr
            used |= ours
    unused = {metric.name for metric in METRICS if not any(name.startswith(metric.name) for name in used)}
    assert not unused, "nobody would ever look at these"


def test_every_redis_panel_asks_for_a_key_and_fields_that_workers_write(server: RedisServer) -> None:
    asked = panels("redis")
    assert len(asked) > 10
    for panel in asked:
        (target,) = panel["targets"]
        key = target["keyName"].replace("${__to:date:YYYY-MM-DD}", town.DAY)
        for name, value in CHOSEN.items():
            key = key.replace(name, value)
        assert key.startswith("tv:pub:") and "$" not in key
        if target["command"] == "zrange":
            assert server.call(Call("ZRANGE", (key,), (target["min"], target["max"]))), key
            continue
        assert target["command"] == "hgetall"
        fields = {name.decode() for name in server.call(Call("HGETALL", (key,)))[::2]}
        assert fields, key
        shown = re.fullmatch(r"/\^\((.*)\)\$/", panel["options"]["reduceOptions"]["fields"])
        assert shown is None or set(shown[1].split("|")) <= fields, panel["title"]


def test_few_persons_are_not_told() -> None:
    for panel in panels("redis"):
        shown = set(re.findall(r"\w+", panel["options"]["reduceOptions"]["fields"])) & PERSONS
        hidden = {
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            for setting in override["properties"]
            if setting["id"] == "mappings"
            and setting["value"][0]["options"] == {"from": 1, "to": 4, "result": {"text": "<5", "index": 0}}
        }
        assert shown <= hidden, panel["title"]


def test_what_is_provisioned_fits_together() -> None:
    compose = yaml.safe_load((GRAFANA / "compose.yml").read_text())
    services = compose["services"]
    for name in ("grafana", "prometheus"):
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", services[name]["image"])
        for volume in services[name]["volumes"]:
            place = volume.split(":")[0]
            assert place in compose["volumes"] or (GRAFANA.parents[1] / place).exists(), volume
    sources = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "truyvet.yml").read_text())["datasources"]
    uids = {source["uid"]: source["type"] for source in sources}
    for panel in panels():
        for asked in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert uids[asked["uid"]] == asked["type"]
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "truyvet.yml").read_text())["providers"]
    inside = {volume.split(":")[0]: volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    assert inside["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert services["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"].startswith("${GRAFANA_PASSWORD:?")


def test_prometheus_asks_workers_where_they_answer() -> None:
    compose = yaml.safe_load((GRAFANA / "compose.yml").read_text())
    settings = Settings.load(compose["services"]["worker"]["environment"], dotenv=Path("/nonexistent"), run_file=None)
    (job,) = yaml.safe_load((GRAFANA / "prometheus.yml").read_text())["scrape_configs"]
    assert job["dns_sd_configs"][0]["port"] == settings.metrics_port
    assert settings.metrics_address == "0.0.0.0" and job["dns_sd_configs"][0]["names"] == ["worker"]
    jobs = {
        found
        for panel in panels("prometheus")
        for found in re.findall(r'job="(\w+)"', json.dumps(panel["targets"]).replace("\\", ""))
    }
    assert jobs == {job["job_name"]}
