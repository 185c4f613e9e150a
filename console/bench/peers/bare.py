"""A bare loop, as somebody would write it who knows aiokafka, msgspec and Redis scripts well and wants nothing else.

It makes the writes that a scan needs: deduplicate, keep it under its person and under its venue, count. One packed
script call for 500 scans, and the next fetch is decoded while Redis works. It has no checks, no pseudonyms, no rejects,
no look at cases, no order of effects, and it loses or repeats scans when it dies: what is left is the ceiling.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from redis.asyncio import Redis

from console.bench.peers import Marks

CALL = 500
SCRIPT = """
local rows, call, new, venues = cmsgpack.unpack(ARGV[1]), redis.call, 0, {}
for i = 1, #rows, 4 do
  if call('SADD', rows[i], rows[i + 1]) == 1 then
    local list = venues[rows[i + 2]]
    if list then list[#list + 1] = rows[i + 3] else venues[rows[i + 2]] = { rows[i + 3] } end
    new = new + 1
  end
end
for venue, list in pairs(venues) do call('APPEND', venue, table.concat(list)) end
if new > 0 then call('INCRBY', 'n', new) end
return new
"""


class Scan(msgspec.Struct, gc=False):
    venue_id: str
    person: str
    scanned_at: str
    direction: str = "in"
    role: str = "visitor"


_single = msgspec.json.Decoder(Scan)
_several = msgspec.json.Decoder(list[Scan])
_pack = msgspec.msgpack.Encoder().encode


def decoded(values: Sequence[bytes]) -> list[Scan]:
    if values[0][:1] == b"{":
        return _single.decode_lines(b"\n".join(values))
    return [scan for value in values for scan in _several.decode(value)]


def packed(scans: Sequence[Scan]) -> bytes:
    """Person's key, its entry, venue's key, its entry, …: whatever is put together here, Redis need not."""
    rows: list[str] = []
    for s in scans:
        rest = s.scanned_at + s.direction[0] + s.role[0]
        rows += ("p:" + s.person, s.venue_id + rest, "v:" + s.venue_id, s.person + rest)
    return _pack(rows)


async def write(redis: Redis, sha: str, scans: list[Scan]) -> None:
    pipe: Any = redis.pipeline(transaction=False)
    for at in range(0, len(scans), CALL):
        pipe.evalsha(sha, 0, packed(scans[at : at + CALL]))
    await pipe.execute()


async def main() -> None:
    redis: Any = Redis.from_url(os.environ["PEER_REDIS"])
    sha = await redis.script_load(SCRIPT)
    marks = Marks()
    consumer = AIOKafkaConsumer(
        os.environ["PEER_TOPIC"],
        bootstrap_servers=os.environ["PEER_KAFKA"],
        group_id="bare",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    under_way: tuple[asyncio.Task[None], int] | None = None
    committed = time.monotonic()
    while True:
        fetched = await consumer.getmany(timeout_ms=50, max_records=5000)
        values = [record.value for records in fetched.values() for record in records]
        scans = decoded(values) if values else []
        if under_way is not None:
            await under_way[0]
            marks.add(under_way[1])
            under_way = None
            if time.monotonic() - committed > 1:
                await consumer.commit()
                committed = time.monotonic()
        if scans:
            under_way = asyncio.create_task(write(redis, sha, scans)), len(scans)
            await asyncio.sleep(0)  # on its way before the next fetch is decoded


if __name__ == "__main__":
    asyncio.run(main())
