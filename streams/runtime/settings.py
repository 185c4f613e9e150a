"""Every setting, in one place. Environment or `.env`; a wrong value ends with its name and what would be right.

| setting | meaning | when absent |
|---|---|---|
| TRUYVET_KAFKA | bootstrap servers, `host:port,host:port` | the running `up`, else 127.0.0.1:9092 |
| TRUYVET_REDIS | `redis://`, `rediss://`, `unix://`, `redis+cluster://host,host…` | the running `up`, else 6379 here |
| TRUYVET_KEY, TRUYVET_KEY_FILE | the pseudonym key, 32 characters or more | a worker refuses to start |
| TRUYVET_POLICIES | folder of policy files | the built-in policy |
| TRUYVET_RETENTION_DAYS | goes before the policy's; 0 keeps everything | the policy's |
| TRUYVET_RETENTION_CLOCK | `wall` or `stream` (the highest record timestamp seen) | wall |
| TRUYVET_TOPIC_PREFIX | in front of every topic's name | none |
| TRUYVET_PARTITIONS | partitions of each topic that `truyvet topics` makes | 24 |
| TRUYVET_BATCH_SECONDS | a worker ends when one batch takes longer | 30 |
| TRUYVET_SESSION_SECONDS | a worker that Kafka has not heard of for so long loses its partitions | 15 |
| TRUYVET_ALERT_SECONDS | least time between two revisions of a venue alert (rule 8) | 30 |
| TRUYVET_METRICS_PORT | where a worker answers Prometheus: the first of 16 ports from here that is free | no metrics |
| TRUYVET_METRICS_ADDRESS | and listens on this address; 0.0.0.0 = every one | 127.0.0.1 |
| TRUYVET_OPS_PUBLIC | X25519 key (base64) that payloads of rejects are sealed to | made from TRUYVET_KEY |
| TRUYVET_OPS_KEY_FILE | its private half (base64), for `truyvet rejects` | made from TRUYVET_KEY |
| TRUYVET_VAULT_PUBLIC | X25519 key (base64) of the tracing desk, for the codes in the vault | made from TRUYVET_KEY |
| TRUYVET_VAULT_KEY_FILE | its private half (base64), for `truyvet reidentify` alone | made from TRUYVET_KEY |
| TRUYVET_ESCROW_PUBLIC | X25519 key (base64) that codes are sealed to too; its other half lies offline | no escrow |
| TRUYVET_GATEWAY_… | of `truyvet gateway` alone (console/gateway/options.py) | as its `--help` says |
| TRUYVET_KAFKA_… | TLS and SASL, as aiokafka names them (below) | PLAINTEXT |

TRUYVET_KAFKA_…: SECURITY_PROTOCOL, SASL_MECHANISM, SASL_PLAIN_USERNAME, SASL_PLAIN_PASSWORD, SSL_CAFILE, SSL_CERTFILE,
SSL_KEYFILE.

Without TRUYVET_OPS_PUBLIC the pair is derived from the pseudonym key, so that one secret is enough to begin with.
Whoever holds that key can try out codes anyway; set a pair of its own where the people who read rejects must not.
The same holds for TRUYVET_VAULT_PUBLIC: only where it is set, no worker can open the vault (docs/privacy.md, "Keys").
"""

from __future__ import annotations

import fcntl
import os
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import ip_address
from pathlib import Path
from typing import Any

RUN_FILE = Path(".truyvet") / "truyvet.env"
_SECURITY = {
    "TRUYVET_KAFKA_SECURITY_PROTOCOL": "security_protocol",
    "TRUYVET_KAFKA_SASL_MECHANISM": "sasl_mechanism",
    "TRUYVET_KAFKA_SASL_PLAIN_USERNAME": "sasl_plain_username",
    "TRUYVET_KAFKA_SASL_PLAIN_PASSWORD": "sasl_plain_password",
}
_SSL = ("TRUYVET_KAFKA_SSL_CAFILE", "TRUYVET_KAFKA_SSL_CERTFILE", "TRUYVET_KAFKA_SSL_KEYFILE")
KEY_LENGTH = 32


class SettingError(Exception):
    """A setting is wrong. `name` = the setting, `right` = what would be right; never the value (it may be a secret)."""

    def __init__(self, name: str, right: str) -> None:
        super().__init__(f"{name}: {right}")
        self.name, self.right = name, right


@dataclass(frozen=True)
class Settings:
    """Read once at start. `key` is b"" when none is set: most commands do without, a worker does not."""

    kafka: str
    redis: str
    key: bytes = field(default=b"", repr=False)
    policies: Path | None = None
    retention_days: int | None = None
    retention_clock: str = "wall"
    topic_prefix: str = ""
    partitions: int = 24
    batch_seconds: int = 30
    session_seconds: int = 15
    alert_seconds: int = 30
    metrics_port: int | None = None
    metrics_address: str = "127.0.0.1"
    kafka_security: dict[str, Any] = field(default_factory=dict, repr=False)
    ops_public: bytes | None = None
    ops_key_file: Path | None = None
    vault_public: bytes | None = None
    vault_key_file: Path | None = None
    escrow_public: bytes | None = None

    @property
    def patience(self) -> float:
        """Seconds of trying Redis or Kafka again before a batch is given up. Well below `batch_seconds`: where both
        were 30, the watchdog ended some of the workers whose Redis was away, as if they were stuck."""
        return min(30.0, max(2.0, 0.6 * self.batch_seconds))

    @staticmethod
    def load(
        env: Mapping[str, str] | None = None, dotenv: Path = Path(".env"), run_file: Path | None = RUN_FILE
    ) -> Settings:
        """From the environment, then `.env`, then what a running `truyvet up` wrote (`run_file`; None = not from it).

        Raises SettingError.
        """
        values = values_of(env, dotenv, run_file)
        return Settings(
            kafka=_servers(values.get("TRUYVET_KAFKA", "127.0.0.1:9092")),
            redis=_redis(values.get("TRUYVET_REDIS", "redis://127.0.0.1:6379/0")),
            key=_key(values),
            policies=_folder(values),
            retention_days=_number(values, "TRUYVET_RETENTION_DAYS", 0, 36500),
            retention_clock=_word(values, "TRUYVET_RETENTION_CLOCK", ("wall", "stream"), "wall"),
            topic_prefix=_prefix(values.get("TRUYVET_TOPIC_PREFIX", "")),
            partitions=_number(values, "TRUYVET_PARTITIONS", 1, 10_000) or 24,
            batch_seconds=_number(values, "TRUYVET_BATCH_SECONDS", 1, 3600) or 30,
            session_seconds=_number(values, "TRUYVET_SESSION_SECONDS", 1, 300) or 15,
            alert_seconds=_or(_number(values, "TRUYVET_ALERT_SECONDS", 0, 3600), 30),
            metrics_port=_number(values, "TRUYVET_METRICS_PORT", 1, 65_535),
            metrics_address=_address(values.get("TRUYVET_METRICS_ADDRESS", "127.0.0.1")),
            kafka_security=_security(values),
            ops_public=_public(values, "TRUYVET_OPS_PUBLIC"),
            ops_key_file=_file(values, "TRUYVET_OPS_KEY_FILE"),
            vault_public=_public(values, "TRUYVET_VAULT_PUBLIC"),
            vault_key_file=_file(values, "TRUYVET_VAULT_KEY_FILE"),
            escrow_public=_public(values, "TRUYVET_ESCROW_PUBLIC"),
        )

    def needed_key(self) -> bytes:
        """The pseudonym key. Raises SettingError when none is set."""
        if not self.key:
            raise SettingError("TRUYVET_KEY", f"set it, or TRUYVET_KEY_FILE, to {KEY_LENGTH} characters or more")
        return self.key


def values_of(
    env: Mapping[str, str] | None = None, dotenv: Path = Path(".env"), run_file: Path | None = RUN_FILE
) -> dict[str, str]:
    """Every TRUYVET_… that is set, as `Settings.load` sees it; for settings of one command alone."""
    values = {**read_run_file(run_file), **_read_env(dotenv), **(os.environ if env is None else env)}
    return {k: v for k, v in values.items() if k.startswith("TRUYVET_") and v != ""}


def _read_env(path: Path) -> dict[str, str]:
    try:
        text = path.read_text()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    found = {}
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and not name.startswith("#"):
            found[name.removeprefix("export ").strip()] = value.strip().strip("\"'")
    return found


def read_run_file(path: Path | None = RUN_FILE) -> dict[str, str]:
    """What the running `up` wrote; nothing when none runs.

    `up` holds a lock on the file as long as it lives: one that was killed leaves the file, and with it addresses where
    nobody, or by now somebody else, answers.
    """
    if path is None:
        return {}
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_env(path)
    except OSError:
        pass
    return {}


def _servers(text: str) -> str:
    for server in text.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
            raise SettingError("TRUYVET_KAFKA", "host:port, or several with commas between")
    return text


def _redis(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://", "redis+cluster://", "rediss+cluster://")):
        raise SettingError("TRUYVET_REDIS", "a URL such as redis://127.0.0.1:6379/0 or redis+cluster://host:6379")
    if "," in text and "+cluster://" not in text:
        raise SettingError("TRUYVET_REDIS", "one server; several nodes are for redis+cluster://host:6379,host:6379")
    return text


def _key(values: Mapping[str, str]) -> bytes:
    name, key = "TRUYVET_KEY", values.get("TRUYVET_KEY", "").encode()
    if not key and "TRUYVET_KEY_FILE" in values:
        name = "TRUYVET_KEY_FILE"
        try:
            key = Path(values[name]).read_bytes().strip()
        except OSError as error:
            raise SettingError(name, f"a file that can be read ({error.strerror})") from None
    if key and len(key.decode(errors="replace")) < KEY_LENGTH:
        raise SettingError(name, f"{KEY_LENGTH} characters or more")
    return key


def _folder(values: Mapping[str, str]) -> Path | None:
    if "TRUYVET_POLICIES" not in values:
        return None
    folder = Path(values["TRUYVET_POLICIES"])
    if not folder.is_dir():
        raise SettingError("TRUYVET_POLICIES", "a folder that is there")
    return folder


def _file(values: Mapping[str, str], name: str) -> Path | None:
    if name not in values:
        return None
    path = Path(values[name])
    if not path.is_file():
        raise SettingError(name, "a file that is there")
    return path


def _number(values: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    if name not in values:
        return None
    text = values[name]
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingError(name, f"a whole number from {low} to {high}")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise SettingError("TRUYVET_METRICS_ADDRESS", "an IP address of this machine, or 0.0.0.0") from None


def _or(number: int | None, default: int) -> int:
    return default if number is None else number


def _word(values: Mapping[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    word = values.get(name, default)
    if word not in words:
        raise SettingError(name, " or ".join(words))
    return word


def _prefix(text: str) -> str:
    if not all(c.isascii() and (c.isalnum() or c in "._-") for c in text):
        raise SettingError("TRUYVET_TOPIC_PREFIX", "letters, digits, dots, underscores and hyphens")
    return text


def _security(values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {ours: values[name] for name, ours in _SECURITY.items() if name in values}
    protocol = found.get("security_protocol", "PLAINTEXT")
    if protocol not in ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"):
        raise SettingError("TRUYVET_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
    if protocol.endswith("SSL"):
        from aiokafka.helpers import create_ssl_context

        files = [_file(values, name) for name in _SSL]
        words = ("cafile", "certfile", "keyfile")
        found["ssl_context"] = create_ssl_context(**{w: str(f) for w, f in zip(words, files, strict=True) if f})
    return found


def _public(values: Mapping[str, str], name: str) -> bytes | None:
    if name not in values:
        return None
    try:
        key = b64decode(values[name], validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingError(name, "32 bytes in base64 (an X25519 public key)")
    return key


def _derived(settings: Settings) -> bytes:
    return blake2b(settings.needed_key(), digest_size=32, person=b"truyvet-ops").digest()


def sealer(settings: Settings) -> Any:
    """`seal(bytes) -> bytes` to the operations key (libsodium sealed box)."""
    from nacl.public import PrivateKey, PublicKey, SealedBox

    public = PublicKey(settings.ops_public) if settings.ops_public else PrivateKey(_derived(settings)).public_key
    return SealedBox(public).encrypt


def opener(settings: Settings) -> Any:
    """`open(bytes) -> bytes` with the private operations key; raises SettingError when it is not at hand."""
    from nacl.public import PrivateKey, SealedBox

    if settings.ops_key_file is not None:
        try:
            private = b64decode(settings.ops_key_file.read_bytes().strip(), validate=True)
        except ValueError:
            private = b""
        if len(private) != 32:
            raise SettingError("TRUYVET_OPS_KEY_FILE", "a file with 32 bytes in base64 (an X25519 private key)")
    elif settings.ops_public is not None:
        raise SettingError("TRUYVET_OPS_KEY_FILE", "the private half of TRUYVET_OPS_PUBLIC, to open payloads")
    else:
        private = _derived(settings)
    return SealedBox(PrivateKey(private)).decrypt
