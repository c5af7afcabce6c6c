"""Operators are told from Markdown and HTML."""

# ruff: noqa: RUF001 - the signs of mathematics are meant as they are

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.operators import with_comparisons, with_products
from activities.text.sentences import split
from activities.text.speakable import speakable

FACTORS = st.one_of(st.integers(0, 999).map(str), st.sampled_from("abcnxyzπ"), st.sampled_from(["(a+b)", "(2)", "3x"]))


@pytest.mark.parametrize(
    ("markdown", "marked"),
    [
        ("2*3*4", "2∗3∗4"),
        ("a*b*c", "a∗b∗c"),
        ("(a+b)*(c-d)", "(a+b)∗(c-d)"),
        ("2*-3", "2∗-3"),
        ("r²*π", "r²∗π"),
        ("50%*2", "50%∗2"),
        ("2**10", "2^10"),
        ("**2*3*4**", "**2∗3∗4**"),
        ("**Vitamin B**12", "**Vitamin B**12"),
        ("*2* and **a** b", "*2* and **a** b"),
        ("un*believ*able, 日本*語*です", "un*believ*able, 日本*語*です"),
        ("2 * 3", "2 * 3"),
        ("* item", "* item"),
    ],
)
def test_stars_between_factors_are_no_emphasis(markdown: str, marked: str) -> None:
    assert with_products(markdown) == marked


@pytest.mark.parametrize(
    ("text", "spaced"),
    [
        ("x <y and z> w", "x < y and z > w"),
        ("i<n", "i < n"),
        ("3<5 and 7>2", "3 < 5 and 7 > 2"),
        ("count<10", "count < 10"),
        ("x<=-3, y>=2", "x ≤ -3, y ≥ 2"),
        ("f(x)<(y)", "f(x) < (y)"),
        ("A -> B => C --> D", "A  →  B  →  C  →  D"),
        ("Map<K, V> and List<String>", "Map K, V  and List String "),
        ("love <3", "love <3"),
        ("install <your package>", "install <your package>"),
    ],
)
def test_what_is_compared_stands_apart(text: str, spaced: str) -> None:
    assert with_comparisons(text) == spaced


@given(st.lists(FACTORS, min_size=2, max_size=6), st.sampled_from(["{}", "**{}**", "So {} it is", "- {}"]))
def test_no_product_loses_its_stars(factors: list[str], around: str) -> None:
    product = "*".join(factors)
    assert product in speakable(around.format(product))
    assert product in split(around.format(product))[0]


@given(st.lists(st.sampled_from("xyznm"), min_size=2, max_size=5), st.sampled_from(["<", ">", " <", "> ", "<=", " < "]))
def test_no_comparison_loses_its_middle(names: list[str], mark: str) -> None:
    said = speakable(mark.join(names))
    assert [name for name in said if name.isalpha()] == names
    assert sum(said.count(sign) for sign in "<>≤") == len(names) - 1


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["*", "a*", "a**", "2*(", "<", "a<", "ab<a ", "->", "x <y ", "~", "<b =", "<a "])
def test_hostile_text_takes_bounded_time(mark: str) -> None:
    started = time.process_time()
    speakable(mark * 12_000)
    assert time.process_time() - started < 1
