"""Which keys the vault's parts get from the settings, and what is said of a wrong one."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from nacl.public import PrivateKey

from streams.runtime.settings import SettingError, Settings
from streams.runtime.vaultkeys import vault_opener, vault_seals
from streams.state import vault
from streams.state.vault import WrongKey

DIGEST, CODE = b"d" * 16, "cccd:001099012345"
PAIR, OTHER = PrivateKey.generate(), PrivateKey.generate()
SECRET = {"TRUYVET_KEY": "k" * 40}


def text(key: bytes) -> str:
    return b64encode(key).decode()


def settings(tmp_path: Path, **values: str) -> Settings:
    return Settings.load(values, dotenv=tmp_path / "none", run_file=None)


def key_file(tmp_path: Path, content: str) -> str:
    path = tmp_path / "vault.key"
    path.write_text(content + "\n")
    return str(path)


def desk_box(of: Settings) -> bytes:
    entry = vault_seals(of).entry(DIGEST, CODE, 1)
    return entry[5:]


def test_with_one_secret_everything_works(tmp_path: Path) -> None:
    alone = settings(tmp_path, **SECRET)
    assert vault_seals(alone).escrow is None
    assert vault.opened(desk_box(alone), vault_opener(alone), DIGEST) == CODE
    stranger = settings(tmp_path, TRUYVET_KEY="x" * 40)
    with pytest.raises(WrongKey):
        vault.opened(desk_box(alone), vault_opener(stranger), DIGEST)


def test_where_a_public_key_is_set_the_pseudonym_key_opens_nothing(tmp_path: Path) -> None:
    worker = settings(tmp_path, **SECRET, TRUYVET_VAULT_PUBLIC=text(bytes(PAIR.public_key)))
    with pytest.raises(SettingError, match="TRUYVET_VAULT_KEY_FILE"):
        vault_opener(worker)
    with pytest.raises(WrongKey):
        vault_opener(settings(tmp_path, **SECRET))(desk_box(worker))
    desk = settings(tmp_path, TRUYVET_VAULT_KEY_FILE=key_file(tmp_path, text(bytes(PAIR))))
    assert vault.opened(desk_box(worker), vault_opener(desk), DIGEST) == CODE  # and needs no pseudonym key


def test_the_escrow_opens_its_own_half(tmp_path: Path) -> None:
    both = settings(tmp_path, **SECRET, TRUYVET_ESCROW_PUBLIC=text(bytes(OTHER.public_key)))
    boxes = vault_seals(both).entry(DIGEST, CODE, 1)[5:]
    desk, escrow = boxes[: len(boxes) // 2], boxes[len(boxes) // 2 :]
    assert vault.opened(desk, vault_opener(both), DIGEST) == CODE
    keeper = settings(tmp_path, TRUYVET_VAULT_KEY_FILE=key_file(tmp_path, text(bytes(OTHER))))
    assert vault.opened(escrow, vault_opener(keeper, escrow=True), DIGEST) == CODE
    with pytest.raises(WrongKey):
        vault_opener(keeper)(desk)
    with pytest.raises(SettingError, match="TRUYVET_VAULT_KEY_FILE"):
        vault_opener(both, escrow=True)  # the pseudonym key is no escrow


@pytest.mark.parametrize("name", ["TRUYVET_VAULT_PUBLIC", "TRUYVET_ESCROW_PUBLIC"])
@pytest.mark.parametrize("value", ["no base64!", text(b"short"), text(bytes(33)), text(bytes(32))])
def test_a_wrong_public_key_is_named_before_the_first_scan(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingError) as wrong:
        vault_seals(settings(tmp_path, **SECRET, **{name: value}))
    assert wrong.value.name == name and value not in str(wrong.value)


@pytest.mark.parametrize("content", ["", "no base64!", text(b"short"), text(bytes(OTHER))])
def test_a_wrong_private_key_is_named(tmp_path: Path, content: str) -> None:
    public = text(bytes(PAIR.public_key))
    of = settings(tmp_path, TRUYVET_VAULT_PUBLIC=public, TRUYVET_VAULT_KEY_FILE=key_file(tmp_path, content))
    with pytest.raises(SettingError, match="TRUYVET_VAULT_KEY_FILE") as wrong:
        vault_opener(of)
    assert content == "" or content not in str(wrong.value)


def test_without_any_key_the_setting_is_named(tmp_path: Path) -> None:
    for make in (vault_seals, vault_opener):
        with pytest.raises(SettingError, match="TRUYVET_KEY"):
            make(settings(tmp_path))


def test_keys_are_in_no_text_of_the_settings(tmp_path: Path) -> None:
    assert "k" * 40 not in repr(settings(tmp_path, **SECRET))
