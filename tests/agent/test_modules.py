"""Parts of modules take the place of what they are parts of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.modules import defined, holds_more, merged, parsed

MODULE = '''"""A cart."""

import os


class Cart:
    """Items."""

    def __init__(self):
        self.items = []

    def total(self):
        return 0


@cached
def price(item):
    return 1
'''


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (
            "def price(item):\n    return 2\n",
            "@cached\ndef price(item):\n    return 1",
            "def price(item):\n    return 2",
        ),
        (
            "def total(self):\n    return sum(self.items)",
            "    def total(self):\n        return 0",
            "    def total(self):\n        return sum(self.items)",
        ),
        ("import re\nimport os\n", "import os", "import re\nimport os"),
        ("def new():\n    pass\n", "    return 1\n", "    return 1\n\n\ndef new():\n    pass\n"),
    ],
    ids=["function", "method", "import", "new function"],
)
def test_parts(part: str, old: str, new: str) -> None:
    assert merged(MODULE, part) == MODULE.replace(old, new)


@pytest.mark.parametrize("part", ["x = 1\n", "def other(self):\n    pass\n", "if True:\n    def price(): pass\n"])
def test_what_is_no_part(part: str) -> None:
    assert merged(MODULE, part) is None


def test_more_than_functions_classes_and_imports() -> None:
    assert holds_more(parsed('"""Text."""\n\n\ndef one(): ...\n'))
    assert holds_more(parsed("ONE = 1\n"))
    assert not holds_more(parsed("import ast\n\n\nclass One: ...\n"))


def test_names() -> None:
    assert defined(parsed(MODULE)) == {"Cart", "price"}


@given(st.text())
def test_any_text_is_a_module_or_a_syntax_error(text: str) -> None:
    try:
        parsed(text)
    except SyntaxError:
        return


@pytest.mark.parametrize("program", ["\0", "(" * 10_000, "-" * 100_000 + "1", "def"])
def test_what_is_no_module(program: str) -> None:
    with pytest.raises(SyntaxError):
        parsed(program)
