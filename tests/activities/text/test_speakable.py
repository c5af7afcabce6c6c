"""What is spoken is prose, whatever the model writes."""

# ruff: noqa: RUF001 - a sign of mathematics is meant as it is

import re
import time

import emoji
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.text.speakable import speakable, speakable_line, with_stop

MARKS = st.sampled_from(
    [
        *(
            "**",
            "*",
            "__",
            "_",
            "`",
            "```",
            "```py\n",
            "~~~",
            "~~",
            "# ",
            "- ",
            "1. ",
            "> ",
            "| ",
            "|-|\n",
            "\n",
            "\n\n",
        ),
        *(
            "[",
            "](",
            ")",
            "![",
            "[x](",
            "http://",
            "https://a.b/c",
            "www.x.y",
            "<b>",
            "</b>",
            "<!--",
            "-->",
            "<script>",
            "<T>",
            " <y ",
            "2*3",
            "a**b",
            "∗",
            "$",
            "\\frac{1}{2}",
            "\\times ",
            "\\[",
        ),
        *("😀", "👨‍👩‍👧", "🇩🇪", "🇩", "1️⃣", "\ufe0f", "\u200d", "🏻", "&lt;", "&#0;", "\\", "\x00", "\ud83d", "\ude00"),
        *("word", "Hi. ", "3", " ", "\t", ".", ":", "é", "你好。", "---", "===", "    "),
    ]
)
MARKDOWN = st.one_of(st.text(max_size=80), st.lists(MARKS, max_size=25).map("".join))


@pytest.mark.parametrize(
    ("markdown", "spoken"),
    [
        ("Plain words.", "Plain words."),
        ("# Setup\nRun **this** *now*.", "Setup.\n\nRun this now."),
        ("- flour\n- two eggs!\n- milk:", "flour.\n\ntwo eggs!\n\nmilk:"),
        ("1. Mix it\n2. Bake it.", "1. Mix it.\n\n2. Bake it."),
        ("1. Mix\n\n   - flour\n", "1. Mix.\n\nflour."),
        ("- [ ] open\n- [x] done", "open.\n\ndone."),
        ("Use `ls -la` and `my_name()`.", "Use ls -la and my name."),
        ("Before\n```python\nprint('x')\n```\nafter", "Before\n\nafter"),
        ("Never closed\n```\nrm -rf", "Never closed"),
        ("See [the docs](https://a.b/c) now.", "See the docs now."),
        ("See https://a.b/c.html. Then www.x.y, too.", "See. Then, too."),
        ("Bare (https://a.b) link", "Bare link"),
        ("[https://a.b](https://a.b)", ""),
        ("![a cat](cat.png) Meow", "Meow"),
        ("A <b>bold</b> <br/>claim<!-- no -->", "A bold claim"),
        ("<script>alert(1)</script>", ""),
        ("3 < 5 &amp; 7 > 6", "3 < 5 & 7 > 6"),
        ("Great 🎉! Go 👩🏽‍💻 🇩🇪", "Great! Go"),
        ("| Name | Age |\n|---|---|\n| Bob | 5 |\n| Eve | |", "Name Bob, Age 5.\n\nName Eve."),
        ("> quoted\n> text", "quoted text"),
        ("One[^1] two [3].", "One two."),
        ("snake_case and 2 * 3 and **half", "snake case and 2 * 3 and half"),
        ("one  \ntwo\nthree", "one two three"),
        ("2*3*4", "2*3*4"),
        ("*a*b*c* is **2*3**", "a*b*c is 2*3"),
        ("2**8", "2^8"),
        ("`x*y` and *x*", "x*y and x"),
        ("x <y and z> w", "x < y and z > w"),
        ("x <b and c> w, a <b>bold</b>", "x < b and c > w, a bold"),
        ("a <div class='x'>claim</div>", "a claim"),
        ("a List<String>, Map<K, V>", "a List String, Map K, V"),
        ("Run <your command> in #include <stdio.h>", "Run your command in #include stdio.h"),
        ("if x<=3 -> stop", "if x ≤ 3 → stop"),
        ("~50 in H~2~O, ~~gone~~", "~50 in H 2 O, gone"),
        ("42.", "42."),
        ("", ""),
    ],
)
def test_markdown_becomes_prose(markdown: str, spoken: str) -> None:
    assert speakable(markdown) == spoken


@given(MARKDOWN)
def test_nothing_unspeakable_is_left(markdown: str) -> None:
    for spoken in (speakable(markdown), speakable_line(markdown)):
        assert not re.search(r"```|\*\*|https?://|`|\[|[\x00-\x09\x0b-\x1f\ud800-\udfff]", spoken, re.IGNORECASE), (
            spoken
        )
        assert not emoji.emoji_list(spoken)
        assert all(paragraph == " ".join(paragraph.split()) for paragraph in spoken.split("\n\n"))


@given(st.lists(st.text("abcdefg", min_size=1), min_size=1))
def test_plain_words_stay(words: list[str]) -> None:
    assert speakable(" ".join(words)) == " ".join(words)


@pytest.mark.slow
@pytest.mark.parametrize(
    "mark",
    [
        "[",
        "*a",
        "a**",
        "`",
        "<",
        ">",
        "- ",
        "[a](",
        "![[",
        "_a ",
        "<!--",
        "<a ",
        "1. ",
        "| a",
        "http://.a",
        "(",
        " \t",
        "🎉",
        ". ",
    ],
)
def test_hostile_markdown_takes_bounded_time(mark: str) -> None:
    started = time.process_time()
    assert len(speakable(mark * 200_000)) < 40_000
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("text", "stopped"), [("end", "end."), ("end?", "end?"), ('"end."', '"end."'), ("", ""), ("a)", "a).")]
)
def test_stop_is_added_once(text: str, stopped: str) -> None:
    assert with_stop(text) == stopped
