"""Foreseen failures, in words that name the setting or the address; never a traceback, never a code or a password."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from streams.runtime.settings import Settings

WRONG_USE = 2
NO_KAFKA, NO_REDIS = "127.0.0.1:9092", "127.0.0.1:6379"
"""Where the settings look when nothing says where."""


class Trouble(click.ClickException):
    """Ends the command with exit code 1 and one sentence on standard error."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        click.echo(f"truyvet: {self.format_message()}", err=True)


class WrongUse(Trouble):
    """As Trouble, with exit code 2: the call or a setting is wrong, and trying again will not help."""

    exit_code = WRONG_USE


def load_settings() -> Settings:
    """The settings of this process; a wrong one ends with its name and what would be right (exit 2)."""
    from streams.runtime.settings import SettingError, Settings

    try:
        return Settings.load()
    except SettingError as wrong:
        raise WrongUse(str(wrong)) from None


def redis_address(url: str) -> str:
    """Host and port of a Redis URL, of a cluster perhaps several: what may be shown of it (it can hold a password)."""
    hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    return ",".join(host if ":" in host else f"{host or 'localhost'}:6379" for host in hosts)


@contextmanager
def explained() -> Iterator[None]:
    """Turn the failures that a user can mend into Trouble: full disk, no right, wrong file."""
    # aiokafka's own log says the same thing ten times before the exception does.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        try:
            yield
        except OSError as error:
            sentence = _of_os_error(error)
            if sentence is None:
                raise
            raise Trouble(sentence) from None
        except Exception as error:
            wrong = _of_ours(error)
            if wrong is None:
                raise
            raise wrong from None
    except click.ClickException as trouble:
        trouble.show()
        raise SystemExit(trouble.exit_code) from None


def _of_ours(error: Exception) -> Trouble | None:
    """Failures that our own parts raise in words: a setting, a policy file, a server that does not start."""
    # By name, and only when one came: their modules load Kafka and Redis clients, which `--help` can do without.
    match type(error).__name__:
        case "SettingError" | "PolicyError":
            return WrongUse(str(error))
        case "CannotStart" | "CannotRun":
            return Trouble(str(error))
    return None


def _of_os_error(error: OSError) -> str | None:
    name = error.filename if isinstance(error.filename, (str, os.PathLike)) else None
    where = f" ({os.fspath(name)})" if name is not None else ""
    if error.errno == errno.ENOSPC:
        return f"the disk is full{where}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no right to write or read here{where}"
    if error.errno == errno.EADDRINUSE:
        return f"that port is taken by another program{where}"
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return f"{error.strerror}{where}"
    return None


def no_kafka(settings: Settings) -> Trouble:
    return Trouble(f"no Kafka answers at {settings.kafka} (TRUYVET_KAFKA){_hint(settings.kafka == NO_KAFKA)}")


def _hint(default: bool) -> str:
    """Who has set nothing most likely meant a `truyvet up` that does not run, or runs in another folder."""
    return "; no `truyvet up` runs in this folder" if default else ""


@contextmanager
def kafka_at(settings: Settings) -> Iterator[None]:
    """Around all that talks to Kafka: a Kafka that is not there, or a topic that is not, ends in one sentence."""
    from aiokafka import errors

    try:
        yield
    except (errors.KafkaConnectionError, errors.NodeNotReadyError, errors.NoBrokersAvailable):
        raise no_kafka(settings) from None
    except errors.UnknownTopicOrPartitionError:
        raise Trouble(f"a topic is missing at {settings.kafka}: run `truyvet topics` first") from None
    except (errors.TopicAuthorizationFailedError, errors.ClusterAuthorizationFailedError) as error:
        raise Trouble(f"Kafka at {settings.kafka} does not allow this: {type(error).__name__}") from None
    except errors.KafkaTimeoutError:
        raise Trouble(f"Kafka at {settings.kafka} (TRUYVET_KAFKA) did not answer in time") from None


@contextmanager
def redis_at(settings: Settings) -> Iterator[None]:
    """Around everything that talks to Redis, alike."""
    from redis import exceptions

    from streams.ports import StoreChanged, StoreDown

    where = redis_address(settings.redis)
    try:
        yield
    except (StoreDown, exceptions.ConnectionError, exceptions.TimeoutError, exceptions.AuthenticationError) as error:
        if isinstance(error, exceptions.AuthenticationError) or isinstance(
            error.__cause__, exceptions.AuthenticationError
        ):
            raise Trouble(f"Redis at {where} refuses the password of TRUYVET_REDIS") from None
        raise Trouble(f"no Redis answers at {where} (TRUYVET_REDIS){_hint(where == NO_REDIS)}") from None
    except StoreChanged as error:
        raise Trouble(f"Redis at {where} is not what it was when this began ({error}): run this again") from None
