"""What crosses Temporal: it survives the way there and back, and releases that know more or fewer fields."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from activities.values import Address, BlobRef, Identifier, Notice

IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
PARAMS = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5)), max_size=3)


@given(st.text(max_size=10), PARAMS)
def test_a_value_survives_json(key: str, params: dict[str, float | int | str]) -> None:
    notice = Notice(key=key, params=params)
    assert Notice.model_validate_json(notice.model_dump_json()) == notice


def test_a_field_of_a_later_release_is_ignored() -> None:
    assert Notice.model_validate({"key": "queued", "of_later": 1}) == Notice(key="queued")


def test_a_value_does_not_change() -> None:
    ref = BlobRef(key="k", mime="audio/ogg", bytes=1, seconds=1, sample_rate=48_000)
    with pytest.raises(ValidationError):
        ref.seconds = 2  # type: ignore[misc]


@pytest.mark.parametrize("text", ["1", "-100123", "a.b_c:d@e+f"])
def test_identifiers(text: str) -> None:
    assert IDENTIFIER.validate_python(text) == text
    assert Address(platform="file", chat=text, message="0").chat == text


@pytest.mark.parametrize("text", ["", "a/b", "a b", "é", "a\n", "x" * 121])
def test_what_is_no_identifier(text: str) -> None:
    with pytest.raises(ValidationError):
        IDENTIFIER.validate_python(text)


def test_an_error_does_not_quote_what_was_said() -> None:
    with pytest.raises(ValidationError) as caught:
        Address.model_validate({"platform": "file", "chat": "my secret words", "message": 1})
    assert "chat" in str(caught.value)
    assert "secret" not in str(caught.value)
