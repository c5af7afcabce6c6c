"""Pages: everything that templates put in is escaped, and nothing is fetched."""

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from activities.pages.page import ROOM, render


def test_a_template_that_is_not_there_and_a_value_that_is_missing_are_errors() -> None:
    with pytest.raises(TemplateNotFound):
        render(ROOM, "nothing.html", {})
    with pytest.raises(UndefinedError):
        render("activities.benchmarks", "report.html", {})
