"""What `truyvet gateway` can be told: an option, else TRUYVET_GATEWAY_…, in the environment or `.env`.

| setting | meaning | when absent |
|---|---|---|
| TRUYVET_GATEWAY_PORT, _ADDRESS | where it listens; address 0.0.0.0 = every one of this machine | 8750, 127.0.0.1 |
| TRUYVET_GATEWAY_SPOOL | folder of scans that Kafka has not got yet; one for each gateway | .truyvet/spool |
| TRUYVET_GATEWAY_ID | gateway_id for scans that name none | they are refused |
| TRUYVET_GATEWAY_RATE | scans a second for each client address; 0 = no limit | 500 |
| TRUYVET_GATEWAY_MAX_SPOOL_MIB | MiB of disk that the spool may take | 4096 |
| TRUYVET_GATEWAY_TLS_CERT, _TLS_KEY | PEM files: it speaks HTTPS | HTTP |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from schemas.texts import clean_id
from streams.runtime.settings import SettingError

PREFIX = "TRUYVET_GATEWAY_"


@dataclass(frozen=True)
class Options:
    """`port` 0 = a free one; `rate` scans/s an address, 0 = no limit; `max_spool_mib` MiB."""

    port: int = 8750
    address: str = "127.0.0.1"
    spool: Path = Path(".truyvet") / "spool"
    gateway_id: str | None = None
    rate: int = 500
    max_spool_mib: int = 4096
    tls_cert: Path | None = None
    tls_key: Path | None = None

    @staticmethod
    def of(values: Mapping[str, str]) -> Options:
        """From settings by their names (`streams.runtime.settings.values_of`). Raises SettingError."""
        plain = Options()
        cert, key = _file(values, "TLS_CERT"), _file(values, "TLS_KEY")
        if key is not None and cert is None:
            raise SettingError(PREFIX + "TLS_CERT", "a PEM file, where there is a key for it")
        return Options(
            port=_number(values, "PORT", 0, 65_535, plain.port),
            address=_address(values.get(PREFIX + "ADDRESS", plain.address)),
            spool=Path(values.get(PREFIX + "SPOOL", plain.spool)),
            gateway_id=_id(values.get(PREFIX + "ID")),
            rate=_number(values, "RATE", 0, 1_000_000, plain.rate),
            max_spool_mib=_number(values, "MAX_SPOOL_MIB", 1, 100_000_000, plain.max_spool_mib),
            tls_cert=cert,
            tls_key=key,
        )


def _number(values: Mapping[str, str], name: str, low: int, high: int, default: int) -> int:
    text = values.get(PREFIX + name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingError(PREFIX + name, f"a whole number from {low} to {high}")
    return int(text)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise SettingError(PREFIX + "ADDRESS", "an IP address of this machine, or 0.0.0.0") from None


def _id(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        if 0 < len(text) <= 64:
            return clean_id(text)
    except ValueError:
        pass
    raise SettingError(PREFIX + "ID", "1 to 64 characters, without control characters or white space around them")


def _file(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(PREFIX + name)
    if text is None:
        return None
    if not Path(text).is_file():
        raise SettingError(PREFIX + name, "a file that is there")
    return Path(text)
