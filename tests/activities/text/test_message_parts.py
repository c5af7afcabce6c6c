"""Long texts are split into messages that fit, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from activities.text.message_parts import split_text, units

TEXTS = st.text(alphabet=st.sampled_from("ab.é漢😀 \n"), max_size=300)


@given(TEXTS, st.integers(2, 40))
def test_parts_fit_and_nothing_but_white_space_is_lost(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(part and part == part.strip() and units(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(TEXTS)
def test_a_text_that_fits_is_one_message(text: str) -> None:
    assert split_text(text, 1000) == ([text.strip()] if text.strip() else [])


def test_it_splits_between_paragraphs_before_sentences_before_words() -> None:
    assert split_text("aaaa. bbbb\n\ncccc", 13) == ["aaaa. bbbb", "cccc"]
    assert split_text("aaaa bbb. cccc", 10) == ["aaaa bbb.", "cccc"]
    assert split_text("aaaa bbbb", 6) == ["aaaa", "bbbb"]
    assert split_text("aaaaaaaa", 6) == ["aaaaaa", "aa"]


def test_characters_beyond_the_basic_plane_count_twice() -> None:
    assert split_text("😀" * 5, 4) == ["😀😀", "😀😀", "😀"]
