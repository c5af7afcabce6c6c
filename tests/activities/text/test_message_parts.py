"""Long texts are split into messages that fit, and nothing is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.message_parts import MIN_LIMIT, split_markdown, units

WORDS = st.text(alphabet=st.sampled_from("ab.é漢😀* _`[]()>#-1"), min_size=1, max_size=120)
LANGUAGES = st.sampled_from(["", "py", "c++", "a-name-of-a-language-that-is-none"])


@st.composite
def code_blocks(draw: st.DrawFn) -> str:
    lines = draw(st.lists(st.text(alphabet="ab =😀()", max_size=90), max_size=8))
    return "\n".join([f"```{draw(LANGUAGES)}", *lines, "```"])


DOCUMENTS = st.lists(WORDS | code_blocks(), max_size=8).map("\n\n".join)


@given(DOCUMENTS, st.sampled_from([64, 80, 200]))
def test_parts_of_markdown_fit_and_end_the_code_that_they_begin(text: str, limit: int) -> None:
    for part in split_markdown(text, limit):
        assert part == part.strip()
        assert 0 < units(part) <= limit
        fences = [line for line in part.split("\n") if re.fullmatch(r"[ >]*```[^`]*", line)]
        assert len(fences) % 2 == 0


@given(DOCUMENTS, st.sampled_from([64, 80, 200]))
def test_nothing_of_markdown_is_lost(text: str, limit: int) -> None:
    def written(markdown: str) -> str:
        """Leave out white space, and what a split closes and opens."""
        without_fences = re.sub(r"^[ >]*```.*$", "", markdown, flags=re.MULTILINE)
        return "".join(re.sub(r"[\s>*_`]", "", without_fences).split())

    assert written("\n".join(split_markdown(text, limit))) == written(text)


@given(st.text(alphabet="ab \n`~>#*_|[](<)-1.\\😀é", max_size=600))
def test_any_text_is_split(text: str) -> None:
    assert all(0 < units(part) <= MIN_LIMIT for part in split_markdown(text, MIN_LIMIT))


@given(st.lists(code_blocks(), min_size=1, max_size=4))
def test_code_within_the_limit_is_whole(blocks: list[str]) -> None:
    parts = split_markdown("\n\n".join(f"Words before.\n\n{block}" for block in blocks), 900)
    for block in blocks:
        code = block.split("\n", 1)[1]
        assert any(code in part for part in parts)


def test_code_over_the_limit_is_closed_and_opened_in_its_language() -> None:
    code = "\n".join(f"print({number})" for number in range(12))
    parts = split_markdown(f"Look:\n\n```python\n{code}\n```\nThat is all.", 80)
    assert [(part.count("```"), part.count("```python\n")) for part in parts] == [(2, 1), (2, 1), (0, 0)]
    assert parts[0].startswith("Look:\n\n```python\nprint(0)\n")
    assert parts[-1] == "That is all."
    assert re.findall(r"print\(\d+\)", "\n".join(parts)) == code.split("\n")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("```py\nx = 1", ["```py\nx = 1\n```"]),
        ("~~~\nx = 1\n~~~\nafter", ["~~~\nx = 1\n~~~\nafter"]),
        ("````md\n```py\nx\n```\n````", ["````md\n```py\nx\n```\n````"]),
        ("> ```py\n> x = 1\n> ```", ["> ```py\n> x = 1\n> ```"]),
        ("```python title=a\nx\n```", ["```python\nx\n```"]),
        ("a\r\n\r\n\r\n\r\nb", ["a\n\nb"]),
        ("  - a\n  - b\n    - c", ["- a\n- b\n  - c"]),
        (" \n\n ", []),
    ],
)
def test_blocks_are_as_they_were_written(text: str, parts: list[str]) -> None:
    assert split_markdown(text, 100) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"{'a ' * 25}[a name](https://example.com/a) b", [("a " * 25).strip(), "[a name](https://example.com/a) b"]),
        (f"{'a ' * 28}**not cut here** b", [("a " * 28).strip(), "**not cut here** b"]),
        (f"{'a ' * 28}`let x = y;` b", [("a " * 28).strip(), "`let x = y;` b"]),
        (f"{'a ' * 26}<https://example.com/one> b", [("a " * 26).strip(), "<https://example.com/one> b"]),
        (f"{'a ' * 32}- 4 b", [f"{'a ' * 31}".strip(), "a - 4 b"]),
        (f"**{'bold ' * 20}end** b", [f"**{('bold ' * 9).strip()}**", f"**{('bold ' * 11).strip()} end** b"]),
        (f"> {'heard ' * 12}", [f"> {('heard ' * 10).strip()}", "> heard heard"]),
        (f"-# {'small ' * 12}", [f"-# {('small ' * 10).strip()}", "-# small small"]),
        (f"{'a' * 50}\n\n# Heading\n\nbelow it", ["a" * 50, "# Heading\n\nbelow it"]),
        (f"{'a' * 40}. {'b' * 30}", [f"{'a' * 40}.", "b" * 30]),
    ],
)  # fmt: skip
def test_a_split_is_where_it_disturbs_least(text: str, parts: list[str]) -> None:
    assert split_markdown(text, MIN_LIMIT) == parts


@pytest.mark.parametrize(
    "hostile",
    ["`" * 50_000, "**a " * 25_000, "[" * 50_000, "`a " * 30_000, "||*_" * 20_000, "> " * 30_000, "```\n" * 30_000],
)
def test_hostile_markdown_is_split_too(hostile: str) -> None:
    assert all(units(part) <= 2000 for part in split_markdown(hostile, 2000))


def test_a_limit_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        split_markdown("a", MIN_LIMIT - 1)
