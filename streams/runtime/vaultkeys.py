"""The keys of the vault, as the settings have them: public ones for workers, the private one for `reidentify` alone."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from streams.runtime.settings import SettingError, Settings
from streams.state.vault import Seal, Seals, WrongKey

_FILE = "TRUYVET_VAULT_KEY_FILE"


def vault_seals(settings: Settings) -> Seals:
    """What a worker seals codes with (libsodium sealed boxes). Raises SettingError when there is no key at all."""
    desk = settings.vault_public or bytes(_derived(settings).public_key)
    escrow = settings.escrow_public
    return Seals(
        _seal(desk, "TRUYVET_VAULT_PUBLIC"), None if escrow is None else _seal(escrow, "TRUYVET_ESCROW_PUBLIC")
    )


def _seal(public: bytes, name: str) -> Seal:
    box = SealedBox(PublicKey(public))
    try:
        box.encrypt(b"")  # 32 bytes that are no key (zeros, say) show here, not in the first batch of scans
    except (CryptoError, RuntimeError):
        raise SettingError(name, "an X25519 public key; these 32 bytes are none") from None
    return box.encrypt


def vault_opener(settings: Settings, *, escrow: bool = False) -> Callable[[bytes], bytes]:
    """What opens the desk's boxes, or the escrow's: then the key file holds the escrow's private key.

    Raises SettingError when the private key is not here, or not the public one's half.

    The opener itself raises WrongKey for a box that was sealed to another key.
    """
    name = "TRUYVET_ESCROW_PUBLIC" if escrow else "TRUYVET_VAULT_PUBLIC"
    public = settings.escrow_public if escrow else settings.vault_public
    if settings.vault_key_file is not None:
        private = _private(settings.vault_key_file)
        if public not in (None, bytes(private.public_key)):
            raise SettingError(_FILE, f"the private half of {name}; this one is another key's")
    elif escrow or public is not None:
        raise SettingError(_FILE, f"a file with the private half of {name}, to open the vault")
    else:
        private = _derived(settings)
    box = SealedBox(private)

    def open_(sealed: bytes) -> bytes:
        try:
            return box.decrypt(sealed)
        except CryptoError:
            raise WrongKey("sealed to another key than the one at hand") from None

    return open_


def _private(path: Path) -> PrivateKey:
    try:
        key = b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise SettingError(_FILE, f"a file that can be read ({error.strerror})") from None
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingError(_FILE, "a file with 32 bytes in base64 (an X25519 private key)")
    return PrivateKey(key)


def _derived(settings: Settings) -> PrivateKey:
    """One secret is enough to begin with; whoever has it can try out all codes in any case (docs/privacy.md)."""
    return PrivateKey(blake2b(settings.needed_key(), digest_size=32, person=b"truyvet-vault").digest())
