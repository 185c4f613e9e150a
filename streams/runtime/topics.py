"""The topics (messages.md, "Topics"): made by `truyvet topics`, never by themselves, and never changed by it."""

from __future__ import annotations

from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.runtime.settings import Settings

DAY_MS = 86_400_000
MIB = 1024 * 1024


class Topic(NamedTuple):
    """`retention_ms` -1 = no end; `compact` and `delete` = cleanup policies; `max_bytes` of one record."""

    name: str
    compact: bool
    delete: bool
    retention_ms: int
    max_bytes: int = MIB

    def config(self, *, production: bool) -> dict[str, str]:
        policy = ",".join(word for word, on in (("compact", self.compact), ("delete", self.delete)) if on)
        config = {"cleanup.policy": policy, "max.message.bytes": str(self.max_bytes)}
        if self.delete:
            config["retention.ms"] = str(self.retention_ms)
        if self.name == "scans":
            # In production the broker stamps records: a terminal whose clock is wrong must not stamp both times.
            config["message.timestamp.type"] = "LogAppendTime" if production else "CreateTime"
        return config


TOPICS = [
    Topic("scans", False, True, 21 * DAY_MS),
    *(Topic(name, True, False, -1) for name in ("venues", "organisations", "gateways", "coverage", "policies")),
    *(Topic(name, False, True, 60 * DAY_MS) for name in ("cases", "people", "decisions")),
    *(
        Topic(name, True, True, 60 * DAY_MS)
        for name in ("exposures", "venue-alerts", "case-status", "clusters", "followups")
    ),
    Topic("rejects", False, True, 21 * DAY_MS, 2 * MIB),
    Topic("audit", False, True, 3650 * DAY_MS),
    Topic("evaluate", False, True, 7 * DAY_MS),
    Topic("combine", False, True, 7 * DAY_MS),
    # A row holds its record, a third longer in base64: at a mebibyte a venue's record of 800 kB ended every worker.
    Topic("registry", True, False, -1, 2 * MIB),
]

INPUTS = (
    "gateways",
    "venues",
    "organisations",
    "coverage",
    "cases",
    "people",
    "decisions",
    "policies",
    "scans",
)
"""Topics from outside that an agent takes in. Whoever adds an agent adds its topic here, or `truyvet wait` and `status`
would not know of it (tests/console/test_waiting.py compares the two)."""

INTERNAL = ("evaluate", "combine")
"""Our own topics that agents take in, in the order in which one causes the next."""


class Difference(NamedTuple):
    """A topic that is there and is not as it should be. `what` = partitions, or the name of a configuration."""

    topic: str
    what: str
    found: str
    wanted: str


async def ensure_topics(
    settings: Settings, partitions: int | None = None, *, production: bool = False, replication: int = 1
) -> list[Difference]:
    """Make the topics that are missing; say what differs in those that are there. Changes nothing that exists."""
    count = partitions or settings.partitions
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, **settings.kafka_security)
    await admin.start()
    try:
        wanted = {settings.topic_prefix + topic.name: topic for topic in TOPICS}
        there = set(await admin.list_topics())
        missing = [
            NewTopic(name, count, replication, topic_configs=topic.config(production=production))
            for name, topic in wanted.items()
            if name not in there
        ]
        if missing:
            reply = await admin.create_topics(missing)
            for name, code, *rest in reply.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:  # somebody else may make them at the same time
                    raise error(f"topic {name}: {rest[0] if rest else ''}")
        return await _differences(admin, {n: t for n, t in wanted.items() if n in there}, count, production)
    finally:
        await admin.close()


async def _differences(
    admin: AIOKafkaAdminClient, wanted: dict[str, Topic], partitions: int, production: bool
) -> list[Difference]:
    if not wanted:
        return []
    found = []
    for entry in await admin.describe_topics(list(wanted)):
        have = len(entry["partitions"])
        if have != partitions:
            found.append(Difference(entry["topic"], "partitions", str(have), str(partitions)))
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted]
    for reply in await admin.describe_configs(resources):
        for _, _, _, name, entries in reply.resources:
            values = {entry[0]: entry[1] or "" for entry in entries}
            for key, value in wanted[name].config(production=production).items():
                if set(values.get(key, "").split(",")) != set(value.split(",")):
                    found.append(Difference(name, key, values.get(key, ""), value))
    return found
