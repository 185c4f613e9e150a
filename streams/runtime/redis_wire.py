"""redis-py's asyncio connections with hiredis on both ways.

redis-py 8 packs commands in C for its blocking client only, and makes a timer for each reply, though those of a
pipeline come in one piece. Both together were half of what a round of counting cost (`truyvet bench counters`).
"""

from __future__ import annotations

from typing import Any

from hiredis import pack_command
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError

_pack = HiredisRespSerializer().pack


class _Hiredis(AbstractConnection):
    def pack_command(self, *args: Any) -> list[bytes]:
        """redis-py goes through every word in Python, looking for kinds that ours never are; a case has 45,000."""
        if " " in args[0]:  # SCRIPT LOAD: two words
            return _pack(*args)
        return [pack_command(args)]

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """A reply that is here already is taken as it is; whatever else goes redis-py's own way."""
        reader = getattr(self._parser, "_reader", None)
        if args or options or reader is None or not reader.has_data():
            return await super().read_response(*args, **options)
        reply = reader.gets()
        if reply is NOT_ENOUGH_DATA:
            return await super().read_response()
        if isinstance(reply, ConnectionError):  # of this connection nothing more is to be had
            await self.disconnect(nowait=True)
        if isinstance(reply, Exception):
            raise reply from None
        return reply


class _Plain(_Hiredis, Connection):
    pass


class _Tls(_Hiredis, SSLConnection):
    pass


class _Unix(_Hiredis, UnixDomainSocketConnection):
    pass


_OURS = {Connection: _Plain, SSLConnection: _Tls, UnixDomainSocketConnection: _Unix}


def with_hiredis(client: Redis) -> Redis:
    """The same client, whose connections (none was opened yet) are ours."""
    pool = client.connection_pool
    pool.connection_class = _OURS[pool.connection_class]
    return client
