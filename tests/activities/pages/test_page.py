"""Pages from templates."""

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from activities.pages.page import render

HOSTILE = "</title><script>alert(1)</script>\"' onload=x \x00\x1b[31m\ud800\u202e"


def test_each_text_is_escaped_and_what_is_not_seen_spelled_out() -> None:
    page = render("tests.activities.pages", "hostile.html", {"text": HOSTILE, "own": Markup("<b>own</b>")}).decode()
    assert page.count("<script") == 0
    assert "&lt;script&gt;" in page
    assert 'title="&lt;/title&gt;' in page
    assert "&#34;&#39; onload=x \\x00\\ud800\\u202e" in page
    assert "<b>own</b>" in page


def test_a_page_says_that_nothing_is_fetched_and_no_script_runs() -> None:
    page = render("tests.activities.pages", "hostile.html", {"text": "", "own": ""}).decode()
    assert "default-src 'none'" in page
    assert "script-src" not in page


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("tests.activities.pages", "hostile.html", {"text": ""})
