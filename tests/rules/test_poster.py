"""What a signed poster says, and that nobody else can say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.poster import Poster, poster_key, poster_text, read_poster

KEY, OTHER = poster_key(b"k" * 40), poster_key(b"another key of forty characters or more.")
VENUES = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=64)


def test_a_text_is_stable_for_ever() -> None:
    """Posters hang for years: whoever changes this tears them all down."""
    assert KEY.id == "e843"
    assert poster_text("cho-dong-hoi", KEY) == "TV1.cho-dong-hoi.e843.546a6u2p5khyaa2a"


@given(VENUES)
def test_what_is_signed_is_read_back(venue_id: str) -> None:
    text = poster_text(venue_id, KEY)
    found = read_poster(text, [OTHER, KEY])
    assert (found.venue_id, found.state) == (venue_id, "signed")
    assert text == f"TV1.{venue_id}.{found.proof}" and len(found.proof or "") == 4 + 1 + 16
    assert read_poster(text, [OTHER]) == Poster(venue_id, "unknown_key", found.proof)


@given(VENUES, VENUES)
def test_a_signature_of_one_venue_is_none_of_another(mine: str, other: str) -> None:
    proof = read_poster(poster_text(mine, KEY), [KEY]).proof
    assert read_poster(f"TV1.{other}.{proof}", [KEY]).state == ("signed" if mine == other else "forged")


def test_another_key_that_takes_the_name_of_ours_signs_nothing() -> None:
    text = poster_text("cafe-1", OTHER._replace(id=KEY.id))
    assert read_poster(text, [KEY]) == Poster("cafe-1", "forged", text.removeprefix("TV1.cafe-1."))


@given(st.text(max_size=80))
def test_anything_can_be_read(text: str) -> None:
    found = read_poster(text, [KEY])
    assert found.state in ("unsigned", "unknown_key", "forged")
    if found.state == "unsigned":
        assert found == Poster(text, "unsigned", None)


@pytest.mark.parametrize("text", ["cafe-1", "TV1", "TV1.", "TV1.cafe-1", "TV1..e843.546a6u2p5khyaa2a", "TV2.a.b.c"])
def test_a_text_of_another_form_is_a_venue(text: str) -> None:
    assert read_poster(text, [KEY]) == Poster(text, "unsigned", None)


def test_no_key_no_signature() -> None:
    with pytest.raises(ValueError, match="empty"):
        poster_key(b"")
