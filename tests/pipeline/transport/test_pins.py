"""The transport leans on parts of Faust, mode and aiokafka that are not public. An upgrade must be looked at first."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import faust
from aiokafka import AIOKafkaConsumer
from faust.app import App
from faust.transport import consumer as base
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streams.runtime import transport
from streams.runtime.app import BatchApp
from streams.runtime.fetching import BatchThread


def test_the_versions_are_the_tested_ones() -> None:
    found = {name: version(name) for name in ("faust-streaming", "mode-streaming", "aiokafka")}
    assert found == {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}, (
        "run the tests of tests/pipeline/transport, `make faults` too, read transport.md, then change this line"
    )


def test_what_we_override_is_there() -> None:
    ours = {
        transport.Consumer: driver.Consumer,
        BatchThread: driver.AIOKafkaConsumerThread,
        transport.Producer: driver.Producer,
        BatchApp: App,
    }
    own = {"batch_done", "batch_failed", "flowing", "fetch", "committed", "seek_all"}
    helpers = {"_pump", "_pump_all", "_warn_of_gap", "_event", "_in_thread", "_fetch", "_committed", "_seek_all"}
    helpers |= {"_reset_to_end"}
    for mine, theirs in ours.items():
        for name, value in vars(mine).items():
            if inspect.isfunction(value) and name not in own | helpers:
                assert hasattr(theirs, name), f"{theirs.__module__}.{theirs.__name__} has no {name} any more"


def test_what_we_use_is_there() -> None:
    for name in ("_get_active_partitions", "commit", "maybe_wait_for_commit_to_finish", "wait_empty", "resume_flow"):
        assert hasattr(base.Consumer, name)
    consumer = inspect.getsource(base.Consumer)
    for name in ("_acked", "_acked_index", "can_resume_flow", "suspend_flow", "flow_active", "callback"):
        assert f"self.{name}" in consumer or f"{name}:" in consumer
    assert hasattr(driver.AIOKafkaConsumerThread, "_ensure_consumer")
    assert "thread_loop" in inspect.getsource(base.ConsumerThread)
    assert hasattr(Service, "wait_until_stopped")
    assert "fetch_context" in inspect.getsource(AIOKafkaConsumer.getmany), "a cancelled getmany may be harmless now"
    assert "compile" in vars(faust.Schema)


def test_the_fetcher_runs_what_we_override() -> None:
    assert "_drain_messages(self)" in inspect.getsource(base.Fetcher)
