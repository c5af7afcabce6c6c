"""Markdown in Discord's dialect: nothing that Discord would show raw, and nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.platforms.discord.markdown import CONTENT_LIMIT, as_written, for_discord, parts_of, suppresses_embeds
from activities.platforms.platform import MessageText
from activities.text.message_parts import units


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# One #\n## Two\n### Three", "# One\n## Two\n### Three"),
        ("#### A **small** one", "**A small one**"),
        ("- #### In a list", "- **In a list**"),
        ("Title\n=====\ntext", "# Title\ntext"),
        ("Not a title\n---\ntext", "Not a title\n———\ntext"),
        ("a\n\n***\n\nb", "a\n\n———\n\nb"),
        ("__strong__ and _em_ and **bold *both* bold**", "**strong** and _em_ and **bold *both* bold**"),
        ("the method __init_subclass__ is", "the method \\_\\_init_subclass\\_\\_ is"),
        ("a || b || c", "a \\|\\| b \\|\\| c"),
        ("`a || b` and `__x__`", "`a || b` and `__x__`"),
        ("\\*as it is\\*", "\\*as it is\\*"),
        (">no space", "> no space"),
        ("> one\nlazy", "> one\n> lazy"),
        ("> one\n>> two\n>>> three", "> one\n> two\n> three"),
        ("> ```sh\n> > prompt\n> ```", "> ```sh\n> > prompt\n> ```"),
        ("+ one\n+ two", "- one\n- two"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("7) a\n8) b", "7. a\n8. b"),
        ("0. a\n0. b", "0. a\n1. b"),
        ("- [ ] todo\n- [x] done", "- ☐ todo\n- ☑ done"),
        ("1. a\n\n   ```py\n   x = 1\n   ```\n2. b", "1. a\n\n```py\nx = 1\n```\n2. b"),
        ("- ```\n  x\n  ```", "-\n```\nx\n```"),
        ("~~~ruby\nx\n~~~", "```ruby\nx\n```"),
        ("````md\n```\nx\n```\n````", "```md\n`\u200b`\u200b`\nx\n`\u200b`\u200b`\n```"),
        ("```{.python} title=a\nx\n```", "```python\nx\n```"),
        ("```C++\nx", "```c++\nx\n```"),
        ("a\n```\n```\nb", "a\nb"),
        ("![a cat](https://x.y/cat.png)", "[a cat](https://x.y/cat.png)"),
        ("[a](https://x.y/b_(c)_d \"t\")", "[a](https://x.y/b_(c)_d \"t\")"),
        ("[https://x.y](https://x.y)", "https://x.y"),
        ("[](https://x.y)", "https://x.y"),
        ("[docs](/docs) and [mail](mailto:a@b.c)", "docs (/docs) and mail (mailto:a@b.c)"),
        ("[a][1], [b][], [3]\n\n[1]: https://x.y/1\n[b]: https://x.y/2", "[a](https://x.y/1), [b](https://x.y/2), [3]"),
        ("see https://x.y/a__b__c||d", "see https://x.y/a__b__c\\|\\|d"),
        ("H<sub>2</sub>O is <b>wet</b>.<br>Yes, 1 < 2.", "H2O is **wet**.\nYes, 1 < 2."),
        ("```html\n<br> || __x__\n```", "```html\n<br> || __x__\n```"),
    ],
)  # fmt: skip
def test_what_discord_lacks_is_said_by_what_it_has(markdown: str, shown: str) -> None:
    assert for_discord(markdown) == shown


def test_a_narrow_table_has_aligned_columns() -> None:
    table = "| Name | Age |\n|:--|--:|\n| **Ann** | 41 |\n| 漢字 | 7 |\n| `a\\|b` |"
    assert for_discord(f"Look:\n\n{table}\n\nDone.") == (
        "Look:\n\n```\nName  Age\n────  ───\nAnn   41\n漢字  7\na|b\n```\n\nDone."
    )


@pytest.mark.parametrize("cell", ["some text that no telephone shows in one line", "[x](https://x.y)"])
def test_a_wide_table_and_one_with_links_is_a_list(cell: str) -> None:
    table = f"| Name | What it is used for |\n|---|---|\n| One | {cell} |\n| **Two** | |"
    assert for_discord(table) == f"**One**\n- What it is used for: {cell}\n**Two**"


@given(st.text(alphabet="ab1 \n\n`~>#*_|[](<)-+=.\\:/😀é", max_size=500))
def test_any_answer_fits(text: str) -> None:
    parts = parts_of(MessageText(text))
    assert all(part == part.strip() and 0 < units(part) <= CONTENT_LIMIT for part in parts)


CODE = "```py\n" + "x = 1\n" * 40 + "```"
BLOCKS = ["Words to be read. " * 30, "- a\n- b", CODE, "| a | b |\n|---|---|\n| 1 | 2 |", "> said"]


@given(st.lists(st.sampled_from(BLOCKS), max_size=9))
def test_code_is_never_broken(blocks: list[str]) -> None:
    parts = parts_of(MessageText("\n\n".join(blocks), "what was said", "a notice"))
    assert all(units(part) <= CONTENT_LIMIT and part.count("```") % 2 == 0 for part in parts)
    assert sum(part.count("x = 1") for part in parts) == 40 * sum("py" in block for block in blocks)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("*a* _b_ ~~c~~ `d` ||e||", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\`d\\` \\|\\|e\\|\\|"),
        ("<@123> <#4> <:x:5> [a](b)", "\\<@123\\> \\<#4\\> \\<:x:5\\> \\[a\\](b)"),
        ("# one\n- two\n3. three\n> four", "\\# one\n\\- two\n3\\. three\n\\> four"),
        ("-# small", "\\-# small"),
        ("see https://x.y/a_b_c now", "see https://x.y/a_b_c now"),
        ("a\\b", "a\\\\b"),
        ("It is 3.5 - or #1.", "It is 3.5 - or #1."),
    ],
)
def test_what_was_said_is_no_markup(said: str, shown: str) -> None:
    assert as_written(said) == shown


def test_what_was_heard_is_a_quote_and_june_s_own_words_are_small_beside_an_answer() -> None:
    assert parts_of(MessageText("Yes.", "Is it\n*so*?", "Cut\nshort.")) == [
        "> 🎤 Is it\n> \\*so\\*?\nYes.\n\n-# Cut\n-# short."
    ]
    assert parts_of(MessageText(notice="# I'm here.")) == ["\\# I'm here."]
    assert parts_of(MessageText()) == []
    heard = parts_of(MessageText("Yes.", "word " * 900))
    assert [part.startswith("> ") for part in heard] == [True] * 3
    assert heard[-1].endswith("\nYes.")


def test_links_alone_are_kept_from_unfolding() -> None:
    assert [suppresses_embeds(part) for part in ("see https://x.y", "see x.y")] == [4, 0]


@pytest.mark.parametrize(
    "hostile",
    ["> " * 9000, "1. a\n" * 4000, "[" * 20_000, f"{'|a' * 500}\n{'|-' * 500}\n", "__a " * 5000, "<b>" * 6000],
)
def test_hostile_markdown_is_shown_too(hostile: str) -> None:
    assert all(units(part) <= CONTENT_LIMIT for part in parts_of(MessageText(hostile)))
