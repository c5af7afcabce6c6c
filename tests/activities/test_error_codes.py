"""Codes are stable: operators alert on them, and each has a sentence for people."""

import re

import pytest

from activities.error_codes import ErrorCode
from activities.values import Notice
from bots.texts.catalogue import LANGUAGES, say


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_is_words_with_hyphens(code: ErrorCode) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", code.value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_code_has_a_sentence_of_its_own(language: str) -> None:
    sentences = {say(Notice(key=code.value), language) for code in ErrorCode}
    assert len(sentences) == len(ErrorCode)
