"""The stand-in of Kafka does what Kafka does, where the steps can tell."""

from __future__ import annotations

import pytest

from streams.ports import Fenced
from tests.simulation.kafka import Kafka, Partition


def seen(partition: Partition, *, committed: bool) -> list[bytes | None]:
    end = partition.stable_end if committed else partition.end
    return [r.value for r in partition.records[:end] if r.visible(committed)]


@pytest.fixture
def kafka() -> Kafka:
    return Kafka({"exposures": 2})


def test_open_transaction_hides_everything_after_it(kafka: Kafka) -> None:
    place = kafka.partition("exposures", 0)
    epoch = kafka.init_producer("a")
    kafka.write("a", epoch, "exposures", 0, 1, b"k", b"open")
    place.append(2, b"k", b"plain")
    assert place.stable_end == 0
    assert seen(place, committed=True) == []
    assert seen(place, committed=False) == [b"open", b"plain"]


def test_commit_is_seen_only_with_its_marker_which_takes_an_offset(kafka: Kafka) -> None:
    place = kafka.partition("exposures", 0)
    epoch = kafka.init_producer("a")
    kafka.write("a", epoch, "exposures", 0, 1, b"k", b"v")
    kafka.commit("a", epoch)
    assert seen(place, committed=True) == []
    kafka.mark_one("a")
    assert seen(place, committed=True) == [b"v"]
    assert place.stable_end == place.end == 2


def test_new_owner_aborts_what_is_open_and_fences_the_former(kafka: Kafka) -> None:
    place = kafka.partition("exposures", 0)
    old = kafka.init_producer("a")
    kafka.write("a", old, "exposures", 0, 1, b"k", b"v")
    new = kafka.init_producer("a")
    assert seen(place, committed=True) == []
    assert seen(place, committed=False) == [b"v"]
    assert place.stable_end == 2
    with pytest.raises(Fenced):
        kafka.commit("a", old)
    with pytest.raises(Fenced):
        kafka.write("a", old, "exposures", 0, 1, b"k", b"v2")
    kafka.write("a", new, "exposures", 0, 1, b"k", b"v3")


def test_new_owner_ends_what_was_decided(kafka: Kafka) -> None:
    place = kafka.partition("exposures", 0)
    old = kafka.init_producer("a")
    kafka.write("a", old, "exposures", 0, 1, b"k", b"v")
    kafka.commit("a", old)
    kafka.init_producer("a")
    assert seen(place, committed=True) == [b"v"]


def test_coordinator_gives_up_an_open_transaction_and_fences_its_owner(kafka: Kafka) -> None:
    epoch = kafka.init_producer("a")
    kafka.write("a", epoch, "exposures", 0, 1, b"k", b"v")
    kafka.time_out("a")
    with pytest.raises(Fenced):
        kafka.commit("a", epoch)
    assert seen(kafka.partition("exposures", 0), committed=True) == []


def test_next_transaction_waits_for_the_markers_of_the_last(kafka: Kafka) -> None:
    epoch = kafka.init_producer("a")
    kafka.write("a", epoch, "exposures", 0, 1, b"k", b"1")
    kafka.commit("a", epoch)
    kafka.write("a", epoch, "exposures", 0, 1, b"k", b"2")
    place = kafka.partition("exposures", 0)
    assert [r.marker for r in place.records] == [False, True, False]
    assert seen(place, committed=True) == [b"1"]


def test_partitioner_is_the_one_of_kafka(kafka: Kafka) -> None:
    # Values of org.apache.kafka.common.utils.UtilsTest.testMurmur2
    from aiokafka.partitioner import murmur2

    assert murmur2(b"21") - (1 << 32) == -973932308
    assert kafka.partition_of("exposures", b"21") == ((-973932308) & 0x7FFFFFFF) % 2
