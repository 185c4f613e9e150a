"""The vault on a real Redis: who can read it, what erasing leaves, and what late and repeated deliveries do to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from streams.ports import Call
from streams.rules.codes import Pseudonymiser, canonical
from streams.state import vault
from streams.state.vault import Seals, Sighting, WrongBox
from tests.simulation.redis import RedisServer, private_server

DESK, ESCROW = PrivateKey.generate(), PrivateKey.generate()
DIGEST = Pseudonymiser(b"k" * 32).digest


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with private_server() as running:
        yield running


class Direct:
    """The store without a simulation around it; counts calls by name."""

    def __init__(self, server: RedisServer) -> None:
        self.server, self.names = server, list[str]()

    async def run(self, calls: Sequence[Call]) -> list[Any]:
        self.names += [call.name for call in calls]
        return [self.server.call(call) for call in calls]

    def everything(self) -> bytes:
        """All keys and values of the vault."""
        keys = self.server.call(Call("KEYS", (), ("*",)))
        return b"".join(key + b"".join(self.server.call(Call("HGETALL", (key,)))) for key in keys)


@pytest.fixture
def store(server: RedisServer) -> Direct:
    server.begin()
    return Direct(server)


class Counted:
    """A seal that counts: sealing is what costs."""

    def __init__(self, key: PrivateKey) -> None:
        self._seal, self.count = SealedBox(key.public_key).encrypt, 0

    def __call__(self, plain: bytes) -> bytes:
        self.count += 1
        return bytes(self._seal(plain))


def seals(escrow: bool = True) -> Seals:
    return Seals(Counted(DESK), Counted(ESCROW) if escrow else None)


def person(n: int) -> str:
    return f"{n:012d}"


def seen(*people: int, second: int = 1000) -> dict[bytes, Sighting]:
    return {DIGEST(person(n)): Sighting(canonical(person(n)), second) for n in people}


async def code(store: Direct, n: int, key: PrivateKey = DESK, box: str = "desk") -> str | None:
    digest = DIGEST(person(n))
    entry = (await vault.read(store, [digest])).get(digest)
    if entry is None or entry.destroyed:
        return None
    return vault.opened(getattr(entry, box), SealedBox(key).decrypt, digest)


async def test_both_keys_open_it_and_no_other(store: Direct) -> None:
    assert await vault.keep(store, seals(), seen(1, 2, 3)) == 3
    for n in (1, 2, 3):
        assert await code(store, n) == f"cccd:{person(n)}"
        assert await code(store, n, ESCROW, "escrow") == f"cccd:{person(n)}"
        for key, box in ((ESCROW, "desk"), (DESK, "escrow"), (PrivateKey.generate(), "desk")):
            with pytest.raises(CryptoError):
                await code(store, n, key, box)
    assert await code(store, 4) is None


async def test_without_an_escrow_key_only_the_desk_has_a_box(store: Direct) -> None:
    await vault.keep(store, seals(escrow=False), seen(1))
    (entry,) = (await vault.read(store, [DIGEST(person(1))])).values()
    assert entry.escrow is None and await code(store, 1) == f"cccd:{person(1)}"


async def test_no_code_is_to_be_read_in_redis(store: Direct) -> None:
    await vault.keep(store, seals(), seen(*range(50)))
    raw = store.everything()
    assert len(raw) > 50 * 100
    for n in range(50):
        assert person(n).encode() not in raw and DIGEST(person(n))[8:] not in raw


async def test_any_code_comes_back_as_it_was(store: Direct) -> None:
    for text in ("raw:Nguyễn|?", "raw:" + "ẩ" * 1020, "qid:12345678901234567890", "raw:\ud800"):
        digest = DIGEST(text)
        await vault.keep(store, seals(), {digest: Sighting(text, 5)})
        (entry,) = (await vault.read(store, [digest])).values()
        assert entry.desk is not None
        assert vault.opened(entry.desk, SealedBox(DESK).decrypt, digest) == text


async def test_who_is_there_is_not_sealed_again(store: Direct) -> None:
    first, again = seals(), seals()
    assert await vault.keep(store, first, seen(*range(300))) == 300
    before = store.everything()
    store.names.clear()
    assert await vault.keep(store, again, seen(*range(301))) == 1
    assert (first.desk.count, first.escrow.count) == (300, 300)  # type: ignore[attr-defined, union-attr]
    assert (again.desk.count, again.escrow.count) == (1, 1)  # type: ignore[attr-defined, union-attr]
    assert store.names.count("vault_look") == 32 and store.names.count("vault_put") == 1  # one call a bucket
    assert len(store.everything()) > len(before)
    assert await code(store, 7) == f"cccd:{person(7)}"


async def test_two_workers_at_once_keep_one_entry(store: Direct) -> None:
    """Both find it missing, both seal, both write: the second write changes nothing."""
    digest = DIGEST(person(1))

    class Late(Direct):
        async def run(self, calls: Sequence[Call]) -> list[Any]:
            if calls[0].name == "vault_put":
                assert await vault.keep(store, seals(), seen(1)) == 1
                self.between = (await vault.read(store, [digest]))[digest]
            return await super().run(calls)

    late = Late(store.server)
    assert await vault.keep(late, seals(), seen(1)) == 0
    assert (await vault.read(store, [digest]))[digest] == late.between


async def test_erasing_destroys_and_late_deliveries_do_not_bring_it_back(store: Direct) -> None:
    await vault.keep(store, seals(), seen(1, 2))
    assert await vault.forget(store, {DIGEST(person(1)): 2000}) == 1
    assert await vault.forget(store, {DIGEST(person(1)): 2000}) == 0
    assert await code(store, 1) is None and await code(store, 2) is not None
    for second in (0, 1000, 2000):
        assert await vault.keep(store, seals(), seen(1, second=second)) == 0
    entry = (await vault.read(store, [DIGEST(person(1))]))[DIGEST(person(1))]
    assert entry == vault.Entry(True, 2000)


async def test_erasing_reaches_who_was_not_there_yet(store: Direct) -> None:
    """The erasure overtook the scans."""
    assert await vault.forget(store, {DIGEST(person(9)): 2000}) == 0
    assert await vault.keep(store, seals(), seen(9, second=1999)) == 0
    assert await code(store, 9) is None


async def test_who_scans_again_after_the_erasure_can_be_called_back(store: Direct) -> None:
    await vault.forget(store, {DIGEST(person(1)): 2000})
    assert await vault.keep(store, seals(), seen(1, second=2001)) == 1
    assert await vault.forget(store, {DIGEST(person(1)): 2000}) == 0  # delivered again: it does not reach this one
    assert await code(store, 1) == f"cccd:{person(1)}"
    assert await vault.forget(store, {DIGEST(person(1)): 2001}) == 1
    assert await code(store, 1) is None


async def test_of_two_erasures_the_later_stands_whichever_comes_first(store: Direct) -> None:
    for order in ((2000, 3000), (3000, 2000)):
        store.server.begin()
        for second in order:
            await vault.forget(store, {DIGEST(person(1)): second})
        assert await vault.keep(store, seals(), seen(1, second=2500)) == 0
        assert await vault.keep(store, seals(), seen(1, second=3001)) == 1


async def test_erased_between_the_look_and_the_write_stays_erased(store: Direct) -> None:
    class Slow(Direct):
        async def run(self, calls: Sequence[Call]) -> list[Any]:
            if calls[0].name == "vault_put":
                await vault.forget(store, {DIGEST(person(1)): 2000})
            return await super().run(calls)

    assert await vault.keep(Slow(store.server), seals(), seen(1)) == 0
    assert await code(store, 1) is None


async def test_a_later_sighting_makes_an_entry_younger_and_an_earlier_one_does_not(store: Direct) -> None:
    again = seals()
    digest = DIGEST(person(1))
    await vault.keep(store, seals(), seen(1, second=2000))
    before = (await vault.read(store, [digest]))[digest]
    for second, expected in ((1000, 2000), (3000, 3000), (2500, 3000)):
        assert await vault.keep(store, again, seen(1, second=second)) == 0
        assert (await vault.read(store, [digest]))[digest] == before._replace(second=expected)
    assert again.desk.count == 0  # type: ignore[attr-defined]
    assert await vault.forget(store, {digest: 2999}) == 0  # reaches no further than the last sighting but one
    assert await code(store, 1) == f"cccd:{person(1)}"


async def test_age_takes_who_was_not_met_for_long_and_old_markers(store: Direct) -> None:
    await vault.keep(store, seals(), {**seen(*range(100), second=1000), **seen(*range(100, 150), second=2000)})
    await vault.forget(store, {DIGEST(person(200)): 1999, DIGEST(person(201)): 2000})
    assert await vault.sweep(store, 1000) == 0
    assert await vault.sweep(store, 2000) == 101
    left = await vault.read(store, [DIGEST(person(n)) for n in range(202)])
    assert set(left) == {DIGEST(person(n)) for n in (*range(100, 150), 201)}
    assert await vault.sweep(store, 2000) == 0
    assert await code(store, 120) == f"cccd:{person(120)}"


async def test_a_box_moved_to_another_person_answers_nothing(store: Direct) -> None:
    await vault.keep(store, seals(), seen(1, 2))
    one, two = DIGEST(person(1)), DIGEST(person(2))
    box = (await vault.read(store, [one]))[one].desk
    assert box is not None
    with pytest.raises(WrongBox) as wrong:
        vault.opened(box, SealedBox(DESK).decrypt, two)
    assert person(1) not in str(wrong.value)


async def test_nothing_asked_is_nothing_sent(store: Direct) -> None:
    assert await vault.keep(store, seals(), {}) == 0
    assert await vault.forget(store, {}) == 0
    assert await vault.read(store, []) == {}
    assert store.names == []
