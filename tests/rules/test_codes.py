"""Rule 2's table, field by field. Golden digests were made with Python's hashlib from the rule's own words."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b, sha256

import pytest

from streams.rules.codes import (
    EmptyCode,
    Pseudonymiser,
    alert_id,
    canonical,
    exposure_id,
    pseudonym_digest,
    pseudonym_text,
    venue_token,
)

KEY = b"a key for the tests of the rules"
CARD = "012345678901"
INSURANCE = "DN1234567890123"


@pytest.mark.parametrize(
    ("text", "stands_for"),
    [
        # national QR: six fields, the fourth 0 or 1, the fifth 10 to 20 digits
        ("a|b|c|0|1234567890|x", "qid:1234567890"),
        ("a|b|c|1|12345678901234567890|x", "qid:12345678901234567890"),
        ("|||1|1234567890|", "qid:1234567890"),
        ("a|b|c|1|123456789|x", "raw:a|b|c|1|123456789|x"),
        ("a|b|c|1|123456789012345678901|x", "raw:a|b|c|1|123456789012345678901|x"),
        ("a|b|c|2|1234567890|x", "raw:a|b|c|2|1234567890|x"),
        ("a|b|c|01|1234567890|x", "raw:a|b|c|01|1234567890|x"),
        ("a|b|c|1 |1234567890|x", "raw:a|b|c|1 |1234567890|x"),
        ("a|b|c|1|1234567890", "raw:a|b|c|1|1234567890"),
        ("a|b|c|1|1234567890|x|y", "raw:a|b|c|1|1234567890|x|y"),
        # the first row of the table that fits decides
        (f"{CARD}|b|c|1|1234567890|x", "qid:1234567890"),
        (f"{INSURANCE}|b|c|1|1234567890|x", "qid:1234567890"),
        # identity card: seven fields, or the number alone
        (CARD, f"cccd:{CARD}"),
        (f"{CARD}|||||| ", f"cccd:{CARD}"),
        (f"{CARD}|123456789|A|01011990|Nam|B|01012021", f"cccd:{CARD}"),
        (f"{CARD}|1|2|3|4|5", f"raw:{CARD}|1|2|3|4|5"),
        (f"{CARD}|1|2|3|4|5|6|7", f"raw:{CARD}|1|2|3|4|5|6|7"),
        (f"{CARD}|1", f"raw:{CARD}|1"),
        ("01234567890", "raw:01234567890"),
        ("0123456789012", "raw:0123456789012"),
        ("0123 45678901", "raw:0123 45678901"),
        # health insurance: alone, or the first of several
        (INSURANCE, f"bhyt:{INSURANCE}"),
        ("dn1234567890123", f"bhyt:{INSURANCE}"),
        ("dN1234567890123|x", f"bhyt:{INSURANCE}"),
        (f"{INSURANCE}|1|2|3|4|5|6|7|8", f"bhyt:{INSURANCE}"),
        (f"x|{INSURANCE}", f"raw:x|{INSURANCE}"),
        ("DN123456789012", "raw:DN123456789012"),
        ("D11234567890123", "raw:D11234567890123"),
        # anything else
        ("|", "raw:|"),
        ("0912345678", "raw:0912345678"),
        ("raw:0912345678", "raw:raw:0912345678"),
    ],
)
def test_table(text: str, stands_for: str) -> None:
    assert canonical(text) == stands_for


@pytest.mark.parametrize(
    "text",
    [
        "๐๑๒๓๔๕๖๗๘๙๐๑",  # Thai digits
        "０１２３４５６７８９０１",  # full width: NFC leaves it as it is
        "²²²²²²²²²²²²",
        "ĐN1234567890123",
        "ｄｎ1234567890123",
    ],
)
def test_digits_and_letters_are_ascii(text: str) -> None:
    assert canonical(text) == "raw:" + text


def test_white_space_at_both_ends_goes_and_no_other() -> None:
    assert canonical(f" \t\n {CARD} \u3000\u00a0\r\n") == f"cccd:{CARD}"
    assert canonical(" a | b ") == "raw:a | b"
    assert canonical(f"{CARD}\u200b") == f"raw:{CARD}\u200b"  # a zero width space is no white space


def test_composed_and_decomposed_text_is_one_code() -> None:
    text = "Trần Thị Bưởi"
    assert canonical(unicodedata.normalize("NFD", text)) == "raw:" + unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["", " ", "\t\u3000\n"])
def test_empty_is_refused(text: str) -> None:
    make = Pseudonymiser(KEY)
    for refused in (lambda: canonical(text), lambda: make.digest(text), lambda: make.digests([CARD, text])):
        with pytest.raises(EmptyCode):
            refused()


def test_digest_is_keyed_blake2b_128_of_the_canonical_code() -> None:
    make = Pseudonymiser(KEY)
    for text in (CARD, f" {CARD}", "a|b|c|1|1234567890|x", "dn1234567890123", "0912345678", "๐๑๒๓๔๕๖๗๘๙๐๑", "²" * 12):
        expected = blake2b(canonical(text).encode(), digest_size=16, key=KEY).digest()
        assert make.digest(text) == expected
        assert make.digests([text, CARD])[0] == expected


def test_golden_pseudonym() -> None:
    assert pseudonym_text(Pseudonymiser(KEY).digest(CARD)) == "p15wi2gi6defxgpeubmqkz6365py"
    assert pseudonym_text(bytes(16)) == "p1" + "a" * 26
    assert pseudonym_text(b"\xff" * 16) == "p1" + "7" * 25 + "4"


def test_forms_of_one_card_are_one_person_and_other_forms_are_others() -> None:
    make = Pseudonymiser(KEY)
    assert make.digest(CARD) == make.digest(f"{CARD}|1|2|3|4|5|6")
    assert len(set(make.digests([CARD, f"a|b|c|1|{CARD}|x", f"raw:{CARD}", f"cccd:{CARD}"]))) == 4


def test_what_is_not_a_code_stays_apart_from_cards() -> None:
    make = Pseudonymiser(KEY)
    hexadecimal = sha256(b"a record").hexdigest()
    expected = blake2b(f"raw:record {hexadecimal}".encode(), digest_size=16, key=KEY).digest()
    assert make.digest("record " + hexadecimal) == expected


def test_keys_of_every_length() -> None:
    long = b"k" * 200
    assert Pseudonymiser(long).digest(CARD) == Pseudonymiser(blake2b(long).digest()).digest(CARD)
    assert Pseudonymiser(long).digest(CARD) != Pseudonymiser(long[:-1] + b"j").digest(CARD)
    assert (
        Pseudonymiser(b"k" * 64).digest(CARD) == blake2b(b"cccd:012345678901", digest_size=16, key=b"k" * 64).digest()
    )
    with pytest.raises(ValueError, match="not empty"):
        Pseudonymiser(b"")


def test_a_code_that_utf8_cannot_hold_is_not_quoted_in_an_error() -> None:
    assert len(Pseudonymiser(KEY).digest("\ud800 Nguyen")) == 16


@pytest.mark.parametrize(
    "text", ["", "p1", "p1" + "a" * 25, "p1" + "a" * 27, "p2" + "a" * 26, "p1" + "A" * 26, "p1" + "a" * 25 + "b"]
)
def test_no_pseudonym(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a pseudonym$"):
        pseudonym_digest(text)


def test_pseudonym_and_back() -> None:
    for digest in Pseudonymiser(KEY).digests([f"{n:012d}" for n in range(200)]):
        assert pseudonym_digest(pseudonym_text(digest)) == digest


def test_ids() -> None:
    assert venue_token("V1") == blake2b(b"V1", digest_size=8).digest()
    assert exposure_id("C1", "p1x") == sha256(b"C1\0p1x").hexdigest()[:32]
    start = "2022-01-01T00:00:00Z"
    assert alert_id("C1", "V1", start) == sha256(b"C1\0V1\0" + start.encode()).hexdigest()[:32]
    assert exposure_id("C1", "V1") != exposure_id("C1V", "1")
