"""The public keys on real parts: what dashboards find is what the brute force counts (rule 11), whatever died."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from tests.pipeline.answers import INPUTS, POLICY, Sent, client, records, send
from tests.pipeline.crew import Crew
from tests.pipeline.system import KEY, Servers, System
from tests.pipeline.town import Town
from tests.reference.answer import World
from tests.reference.counters import days_with_scans, public_keys
from tests.reference.fields import date_text, local_day, read_ms

SEED = random.randrange(1_000_000)


def public(system: System) -> dict[str, dict[str, Any]]:
    """Every public key as text, without what is 0 in hashes."""
    found: dict[str, dict[str, Any]] = {}
    with client(system) as store:
        for key in sorted(store.scan_iter("tv:pub:*", 1000)):
            name = key.decode()
            if store.type(key) == b"zset":
                found[name] = {word.decode(): int(n) for word, n in store.zrange(key, 0, -1, withscores=True)}
            else:
                pairs = {word.decode(): value.decode() for word, value in store.hgetall(key).items()}
                found[name] = {
                    word: int(value) if value.lstrip("-").isdecimal() else value
                    for word, value in pairs.items()
                    if value != "0"
                }
    return {name: figures for name, figures in found.items() if figures}


def check(system: System) -> tuple[World, dict[str, dict[str, Any]]]:
    """All figures of rule 11, on days with a scan; what else is public, for whoever asks for more."""
    taken = records(system, *INPUTS)
    world = World(taken, KEY.encode(), [POLICY], None)
    wanted, found = public_keys(world, taken), public(system)
    days = {date_text(day) for day in days_with_scans(world)}
    by_day = {name for name in found if name[-10:] in days} - {n for n in found if n.startswith("tv:pub:rejects:")}
    rejects = {name for name in found if name.startswith("tv:pub:rejects:")}
    ours = by_day | rejects | {"tv:pub:silent"} & found.keys()
    told = {name for name in wanted if name[-10:] in days or name.startswith(("tv:pub:rejects:", "tv:pub:silent"))}
    for name in sorted(ours | told):
        assert found.get(name) == wanted.get(name), name
    meta = found["tv:pub:meta"]
    assert (meta["schema"], meta["state"], meta.get("lag_records", 0)) == (1, "ready", 0)
    assert meta["policy"] == POLICY["id"] and abs(meta["as_of"] / 1000 - time.time()) < 60
    check_tracing(system, found.get("tv:pub:tracing", {}))
    return world, found


def check_tracing(system: System, tracing: dict[str, Any]) -> None:
    """As the topics have it."""
    stands = [record for record in system.exposures().values() if record["status"] in ("raised", "updated")]
    assert tracing.get("f1", 0) == len(stands)
    for band in ("high", "medium", "low"):
        assert tracing.get(band, 0) == sum(record["band"] == band for record in stands), band
    cases: dict[str, dict[str, Any]] = {}
    for record in system.records("case-status"):
        if record["case_id"] not in cases or cases[record["case_id"]]["revision"] < record["revision"]:
            cases[record["case_id"]] = record
    assert tracing.get("cases_open", 0) == sum(c["state"] in ("open", "held", "refused") for c in cases.values())
    today = local_day(int(time.time()))
    raised = [record for record in stands if record["status"] == "raised"]
    assert tracing.get("raised_today", 0) == sum(local_day(read_ms(r["issued_at"]) // 1000) == today for r in raised)


def places(seed: int) -> list[Sent]:
    """Where the town's places are, to whom they belong; some of them move."""
    rng = random.Random(f"{seed}/places")
    now = int(time.time())
    made = []
    for number in range(8):
        for version in range(rng.choice((1, 2, 3))):
            commune = rng.choice(("00001", "00004", "27000"))
            content = {
                "venue_id": f"place-{number}",
                "name": "Quán",
                "type": rng.choice(("restaurant", "market", "office")),
                "organisation": rng.choice(("office", "school")),
                "province": "79" if commune == "27000" else "01",
                "commune": commune,
                "registered_at": (now - 9 * 86_400) * 1000,
                "updated_at": (now - 86_400) * 1000 + version,
            }
            if number and rng.random() < 0.4:
                content["parent"] = f"place-{rng.randrange(number)}"
            made.append(Sent("venues", content["venue_id"].encode(), json.dumps(content).encode()))
    for name, parent in (("office", "ministry"), ("school", "ministry"), ("ministry", None)):
        content = {"organisation": name, "name": "Cơ quan", "headcount": 5, "registered_at": now * 1000}
        content |= {"parent": parent} if parent else {}
        made.append(Sent("organisations", name.encode(), json.dumps(content).encode()))
    for area, level in (("79", "province"), ("99", "province"), ("99999", "commune")):
        content = {"area": area, "level": level, "name": "Tỉnh", "population": 100, "as_of": now * 1000}
        made.append(Sent("coverage", area.encode(), json.dumps(content).encode()))
    rng.shuffle(made)
    return made


def test_all_figures_after_deaths_and_after_a_rebuild(servers: Servers, tmp_path: Path) -> None:
    print(f"\nseed {SEED}", end="")
    rng = random.Random(SEED)
    messages = Town(SEED, scans=300).messages + places(SEED)
    rng.shuffle(messages)
    with System(servers, tmp_path, env={"TRUYVET_SESSION_SECONDS": "2"}) as system:
        crew = Crew(system, 2)
        for at in range(0, len(messages), -(-len(messages) // 3)):
            send(system, messages[at : at + -(-len(messages) // 3)])
            time.sleep(rng.random())
            crew.look()
            crew.kill(rng.choice(crew.living))
        crew.settle()
        world, before = check(system)
        assert len(days_with_scans(world)) >= 2 and any(name.startswith("tv:pub:org:ministry:") for name in before)
        assert all(
            "tv:pub:rank:commune" not in n or "99999" in f for n, f in before.items() if n[-10:] in date_of(world)
        )

        ran = system.run("rebuild", "--yes")
        assert ran.returncode == 0, ran.stderr.decode()
        crew.settle()
        _, after = check(system)
        apart = ("tv:pub:meta", "tv:pub:tracing")
        assert {n: f for n, f in after.items() if n not in apart} == {n: f for n, f in before.items() if n not in apart}


def date_of(world: World) -> set[str]:
    return {date_text(day) for day in days_with_scans(world)}


def scan(person: int, gateway: str, at: int, **more: Any) -> dict[str, Any]:
    content = {"scan_id": "s", "venue_id": "pho", "person": f"{79_000_000_000 + person:012}", "scanned_at": at * 1000}
    return {**content, "gateway_id": gateway, **more}


def test_gateways_and_who_is_inside(servers: Servers, tmp_path: Path) -> None:
    now = int(time.time())
    with System(servers, tmp_path) as system:
        worker = system.worker()
        gateways = [{"gateway_id": g, "status": "active", "registered_at": now * 1000} for g in ("g1", "never")]
        system.publish("gateways", gateways, key="gateway_id")
        ahead = [scan(n, "ahead", now + 200) for n in range(3)]
        late = [scan(n, "g1", now - 20 - n) for n in range(5)]
        send(
            system,
            [
                Sent("scans", None, json.dumps(late).encode(), now * 1000),
                Sent("scans", None, json.dumps(ahead).encode(), now * 1000),
                Sent("scans", None, json.dumps(scan(1, "ahead", now + 900)).encode(), now * 1000),
                Sent("scans", b"g1", b"not json", now * 1000 - 1000),
            ],
        )
        system.settle()
        found = public(system)
        g1, far = found["tv:pub:gateway:g1"], found["tv:pub:gateway:ahead"]
        assert g1 == {"last_record": now, "last_scan": now - 20, "scans_today": 5, "rejects_today": 1,
                      "offset_ms": -22_000, "state": "active"}  # fmt: skip
        assert (far["scans_today"], far["rejects_today"], far["state"]) == (3, 1, "unregistered")
        assert far["offset_ms"] >= 200_000
        assert found["tv:pub:gateway:never"] == {"state": "silent"}
        day = date_text((now + 7 * 3600) // 86_400)
        assert found[f"tv:pub:venue:pho:{day}"]["inside_now"] == 5

        # What was counted once is not counted again when its batch comes again.
        worker.kill()
        with client(system) as store:
            store.hset("tv:gen", mapping={f"scans/{p}": 0 for p in range(system.partitions)})
        system.worker()
        system.publish("scans", [scan(9, "g1", now - 10, direction="out")])
        system.settle()
        again = public(system)
        assert again["tv:pub:gateway:g1"]["scans_today"] == 6 and again["tv:pub:gateway:ahead"]["scans_today"] == 3
        check(system)
