"""A model's Markdown as Telegram's entities: what each form becomes, and that nothing readable is ever lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.platforms.telegram.markdown import formatted, is_linkable
from tests.support.platforms.telegram_forms import marked


def shown(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text, and what is formatted in it: how, and which words."""
    whole = formatted(markdown)
    return whole.text, [(span.kind, whole.text[span.start : span.end]) for span in whole.spans]


@pytest.mark.parametrize(
    ("markdown", "text", "spans"),
    [
        ("A **bold** and *slanted* word.", "A bold and slanted word.", [("bold", "bold"), ("italic", "slanted")]),
        ("~~gone~~ `x = 1`", "gone x = 1", [("strikethrough", "gone"), ("code", "x = 1")]),
        ("**run `ls` now**", "run ls now", [("bold", "run "), ("code", "ls"), ("bold", " now")]),
        ("# Title\nText", "Title\n\nText", [("bold", "Title")]),
        ("- one\n- two\n  1. three", "• one\n• two\n   1. three", []),
        ("3. three\n4. four", "3. three\n4. four", []),
        ("- [ ] open\n- [x] done", "☐ open\n☑ done", []),
        ("- a\n\n  more\n- b", "• a\n   more\n• b", []),
        ("> said\n> so\n\nwell", "said\nso\n\nwell", [("blockquote", "said\nso")]),
        ("> a\n>> b", "a\n\nb", [("blockquote", "a\n\nb")]),
        ("```py\nx = [\n    1]\n```", "x = [\n    1]", [("pre", "x = [\n    1]")]),
        ("one\n\n---\n\ntwo", "one\n\n———\n\ntwo", []),
        ("[june](https://june.example)!", "june!", [("text_link", "june")]),
        ("[here](./readme.md)", "here (./readme.md)", []),
        ("![a cat](https://cats.example/1.png)", "🖼 a cat", [("text_link", "🖼 a cat")]),
        ("So it is.[^1]\n\n[^1]: They say.", "So it is.[1]\n\n[1] They say.", []),
        ("a<br>b", "a\nb", []),
    ],
)
def test_forms(markdown: str, text: str, spans: list[tuple[str, str]]) -> None:
    assert shown(markdown) == (text, spans)


@pytest.mark.parametrize(
    "text",
    [
        "2*3*4 = 24 and 2**3**4",
        "about ~5 to ~7 days",
        "Map<String, List<T>> and <div>",
        "a || b || c",
        "$HOME and $PATH, $5 to $10",
        "snake_case_name and file_2_b.txt",
        "<details>\nhidden\n</details>",
        "C:\\Users\\june",
    ],
)
def test_what_only_looks_like_markup_stands_as_it_is(text: str) -> None:
    assert formatted(text) == (text, ())


def test_the_language_of_code_and_the_address_of_a_link() -> None:
    code, link = formatted("```python title=x\n1\n```\n[j](https://j.example/?a=1)").entities
    assert (code.type, code.language, code.offset, code.length) == ("pre", "python", 0, 1)
    assert (link.type, link.url) == ("text_link", "https://j.example/?a=1")


def test_entities_count_utf16_units() -> None:
    (bold,) = formatted("😀😀 **😀b**").entities
    assert (bold.offset, bold.length) == (5, 3)


# Tables


def test_a_narrow_table_is_aligned() -> None:
    text, spans = shown("| Name | Age |\n|---|--:|\n| Ann | **7** |\n| 漢字 | 12 |")
    assert text == "Name | Age\n-----+----\nAnn  | 7\n漢字 | 12"
    assert spans == [("pre", text)]


def test_a_wide_table_is_lines() -> None:
    text, spans = shown(
        "| City | Known for |\n|--|--|\n| Rome | The Colosseum, the Forum and the Vatican |\n| Bonn | |"
    )
    assert text == "City: Rome\nKnown for: The Colosseum, the Forum and the Vatican\n\nCity: Bonn"
    assert spans == [("bold", "City: Rome"), ("bold", "City: Bonn")]


def test_a_table_keeps_its_links() -> None:
    text, spans = shown("| a | b |\n|--|--|\n| [x](https://x.example) | `y` |")
    assert text == "a: x\nb: y"
    assert spans == [("bold", "a: x"), ("text_link", "x"), ("code", "y")]


# Any text

WORDS = st.lists(st.text("abcxyzäß漢😀", min_size=1, max_size=8), min_size=1, max_size=6).map(" ".join)
BLOCKS = st.one_of(
    WORDS,
    WORDS.map("**{}**".format),
    WORDS.map("*{}* and ~~x~~ and `c`".format),
    WORDS.map("# {}".format),
    WORDS.map("- {0}\n  - {0}\n    > {0}".format),
    WORDS.map("1. {0}\n\n   ```\n   {0}\n   ```\n2. {0}".format),
    WORDS.map("> {0}\n> > **{0}**".format),
    WORDS.map("```js\n{0}\n  {0}\n```".format),
    WORDS.map("[{}](https://x.example)".format),
    WORDS.map("| {0} | k |\n|--|--|\n| {0} | **{0}** |".format),
)


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@given(st.lists(BLOCKS, max_size=8).map("\n\n".join))
def test_no_word_is_lost(markdown: str) -> None:
    text = formatted(markdown.replace("https://x.example", "").replace("```js", "```")).text
    for word in letters(markdown.replace("https://x.example", "").replace("```js", "")):
        assert word in text
    assert len(letters(text)) >= len(letters(markdown.replace("https://x.example", "").replace("```js", "")))


@given(st.one_of(st.text(max_size=200), st.text("*_~`[]()<>#|-=>!\\ \n\t1.ab😀:&;", max_size=120)))
def test_any_text_can_be_sent(markdown: str) -> None:
    whole = formatted(markdown)
    if whole.text:
        entities = [entity.to_dict() for entity in whole.entities]
        if len(entities) <= 100:
            marked(whole.text, entities)


@pytest.mark.parametrize(
    "markdown",
    [
        ">" * 100_000,
        "*a **a " * 14_000,
        "[" * 100_000,
        "[a](" * 25_000,
        "- " * 50_000 + "a",
        "".join("`" * number + " " for number in range(440)),
        "|a|b|\n|-|-|\n" + "|x|y|\n" * 16_000,
        "<a " * 33_000,
        "```\nx\n```\n" * 10_000,
        "2*3*" * 25_000,
        "**a *b " * 10_000 + "*" * 30_000,
        "\ud800" * 100_000,
    ],
    ids=lambda text: text[:6].encode("ascii", "backslashreplace").decode(),
)
def test_hostile_markdown_is_quick(markdown: str) -> None:
    began = time.process_time()
    formatted(markdown)
    assert time.process_time() - began < 10, "seconds of work, where a slow parser takes minutes"


@pytest.mark.parametrize("url", ["https://a.example", "http://a.b/c?d#e", "mailto:a@b.example", "tg://user?id=1"])
def test_addresses_that_open(url: str) -> None:
    assert is_linkable(url)


@pytest.mark.parametrize("url", ["", "#top", "a.md", "javascript:alert(1)", "http://", "http://[", "https://a b.c"])
def test_addresses_that_do_not(url: str) -> None:
    assert not is_linkable(url)
