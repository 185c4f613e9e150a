"""A real Apache Kafka and a real redis-server as child processes: what `truyvet up`, the demo and the tests run on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from streams.runtime.process import CannotStart, Server, free_port
from streams.runtime.redis import WANTED

ARCHIVE = "classes.jsa"
JARS = "TRUYVET_KAFKA_JARS"
INSTALL = {
    "java": "apt-get install -y openjdk-17-jre-headless",
    "redis-server": "apt-get install -y redis-server",
}


def jars_folder() -> Path:
    """Where `make install` put Kafka's jars. Raises CannotStart with the line to run."""
    places = [Path(os.environ[JARS])] if JARS in os.environ else []
    places += [Path(".kafka/libs"), Path(__file__).resolve().parents[2] / ".kafka" / "libs"]
    for place in places:
        if any(place.glob("kafka_2.13-*.jar")):
            return place.resolve()
    raise CannotStart("Kafka's jars are not here: run `make install`")


def program(name: str) -> str:
    """Path of a program. Raises CannotStart with the line that installs it."""
    found = shutil.which(name)
    if found is None:
        raise CannotStart(f"{name} is missing: run `{INSTALL[name]}` (Debian, Ubuntu), or `make install`")
    return found


class EmbeddedKafka(Server):
    """One node of Apache Kafka in KRaft mode; its data stay in `data` over restarts."""

    name = "kafka"

    def __init__(self, data: Path, port: int | None = None, heap: str = "512m") -> None:
        super().__init__(data, port)
        self._heap = heap
        # Classes as the JVM wants them in memory: half the work of a start. It ignores an archive that does not fit.
        archive = jars_folder().parent / ARCHIVE
        self._archive = [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off"] if archive.exists() else []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _java(self, main: str, *args: str) -> list[str]:
        options = [
            "-Xms64m",
            f"-Xmx{self._heap}",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=4",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
        ]
        if main == "kafka.Kafka":
            options += self._archive
        return [program("java"), *options, "-cp", f"{jars_folder()}/*", main, *args]

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self.data / "server.properties"))

    def prepare(self) -> None:
        config = self.data / "server.properties"
        config.write_text(self._config())
        if not (self.data / "log" / "meta.properties").exists():
            done = subprocess.run(
                self._java("kafka.tools.StorageTool", "format", "-t", "dHJ1eXZldC1rYWZrYS0wMQ", "-c", str(config)),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                words = (done.stderr or done.stdout).strip().splitlines()
                raise CannotStart(f"Kafka cannot format {self.data}: {words[-1] if words else 'no reason given'}")

    def _config(self) -> str:
        controller = free_port()
        lines = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.data / "log",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "message.max.bytes": 4 * 1024 * 1024,
            "replica.fetch.max.bytes": 4 * 1024 * 1024,
            "log.segment.bytes": 128 * 1024 * 1024,
            # A controlled shutdown signs off. Without it the next start is refused, as a double, until the session of
            # the last one is over: 14 s instead of 3.
            "controlled.shutdown.enable": "true",
            # And after a kill -9, when nothing signed off, in 6 s.
            "broker.session.timeout.ms": 5000,
            "broker.heartbeat.interval.ms": 1000,
        }
        return "".join(f"{k}={v}\n" for k, v in lines.items())

    def ready(self) -> bool:
        """The port answers an ApiVersions request: a listening socket alone is not yet a broker."""
        request = bytes.fromhex("0000000f 0012 0000 00000001 0005 7472757976".replace(" ", ""))
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                s.settimeout(2)
                s.sendall(request)
                return len(s.recv(4)) == 4
        except OSError:
            return False


def archive_classes() -> None:
    """Start Kafka once and keep what it loaded for later starts (`make install`). Raises CannotStart."""
    archive = jars_folder().parent / ARCHIVE
    unfinished = archive.with_suffix(".part")
    archive.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        kafka = EmbeddedKafka(Path(folder))
        kafka._archive = [f"-XX:ArchiveClassesAtExit={unfinished}", "-Xlog:cds=off"]
        kafka.start()
        kafka.stop()
    unfinished.replace(archive)


class EmbeddedRedis(Server):
    """One redis-server with an append-only file; its data stay in `data` over restarts.

    `users.acl` in `data`, where there is one, says who may do what (deploy/redis/users.acl: a user for dashboards).
    """

    name = "redis"
    USERS = "users.acl"

    def __init__(self, data: Path, port: int | None = None, appendfsync: str = "everysec") -> None:
        super().__init__(data, port)
        self._appendfsync = appendfsync

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.data,
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
            "no-appendfsync-on-rewrite": "yes",
            "maxmemory-policy": "noeviction",
            **WANTED,
            "loglevel": "warning",
        }
        if (self.data / self.USERS).exists():
            options["aclfile"] = self.data / self.USERS
        words = [program("redis-server")]
        for name, value in options.items():
            words += [f"--{name}", str(value)]
        return words

    def ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                s.settimeout(2)
                s.sendall(b"PING\r\n")
                return s.recv(7).startswith(b"+PONG")
        except OSError:
            return False
