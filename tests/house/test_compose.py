"""docker-compose.yml and its image give the parts that `truyvet up` gives, with the same versions and options."""

from __future__ import annotations

import shlex
import xml.etree.ElementTree as Xml
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.runtime.embedded import EmbeddedKafka, EmbeddedRedis
from streams.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_parts(services: dict[str, Any]) -> None:
    assert set(services) == {"kafka", "redis", "topics", "worker", "daily"}
    for service in services.values():
        for name in service.get("depends_on", {}):
            condition = service["depends_on"][name]["condition"]
            assert condition == ("service_completed_successfully" if name == "topics" else "service_healthy")
            assert condition != "service_healthy" or "healthcheck" in services[name]


def test_kafka_is_the_pinned_release(services: dict[str, Any]) -> None:
    pom = Xml.parse(ROOT / "deploy" / "kafka" / "pom.xml")
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    versions = {d[1].text: d[2].text for d in pom.findall(".//m:dependency", space)}
    assert services["kafka"]["image"] == f"apache/kafka:{versions['kafka_2.13']}"


def test_kafka_takes_the_records_that_the_embedded_one_takes(services: dict[str, Any], tmp_path: Path) -> None:
    lines = EmbeddedKafka(tmp_path, 1)._config().splitlines()
    embedded = dict(line.split("=", 1) for line in lines)
    there = services["kafka"]["environment"]
    for name in ("message.max.bytes", "replica.fetch.max.bytes", "auto.create.topics.enable"):
        assert str(there["KAFKA_" + name.upper().replace(".", "_")]) == embedded[name]


def test_redis_runs_with_the_options_of_the_embedded_one(services: dict[str, Any], tmp_path: Path) -> None:
    words = shlex.split(services["redis"]["command"])
    there = dict(zip(words[1::2], words[2::2], strict=True))
    command = EmbeddedRedis(tmp_path, 1).command()
    embedded = dict(zip(command[1::2], command[2::2], strict=True))
    for own in ("--port", "--bind", "--dir", "--loglevel"):
        embedded.pop(own)
    assert there == embedded


def test_the_worker_gets_settings_that_are_right(services: dict[str, Any]) -> None:
    given = dict(services["worker"]["environment"])
    assert given["TRUYVET_KEY"].startswith("${TRUYVET_KEY:?")  # no built-in key, ever
    settings = Settings.load({**given, "TRUYVET_KEY": "x" * 32}, dotenv=Path("/nonexistent"))
    listeners = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INSIDE://{settings.kafka}" in listeners.split(",")


def test_the_image_gets_all_that_the_package_is_made_of() -> None:
    image = (ROOT / "deploy" / "Dockerfile").read_text()
    let_in = {line.strip("!/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word
        for line in image.splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == let_in
    assert {"schemas", "streams", "agents", "console", "requirements.lock"} <= copied
    assert all((ROOT / name).exists() for name in copied)
