"""Formatted text in parts: within the limits of a message, code whole, entities cut where the text is."""

from hypothesis import given
from hypothesis import strategies as st

from activities.platforms.telegram.formatted import MOST_ENTITIES, Formatted, Span, joined, split_formatted
from activities.platforms.telegram.markdown import formatted
from activities.text.message_parts import units
from tests.activities.platforms.telegram.test_markdown import BLOCKS
from tests.support.platforms.telegram_forms import marked

LINE = "Some words of an answer, in a line.\n"
CODE = "\n".join(f"print({number})" for number in range(250))


def test_code_is_not_split() -> None:
    assert 2000 < units(CODE) < 4096
    parts = split_formatted(formatted(f"{LINE * 80}\n```py\n{CODE}\n```\nDone."), 4096)
    assert [units(part.text) <= 4096 for part in parts] == [True, True]
    assert parts[1].text == f"{CODE}\n\nDone."
    assert [(entity.type, entity.offset, entity.language) for entity in parts[1].entities] == [("pre", 0, "py")]


def test_code_longer_than_a_message_is_split_between_lines_and_goes_on_as_code() -> None:
    code = "\n".join(f"    print({number})" for number in range(900))
    parts = split_formatted(formatted(f"Look:\n```py\n{code}\n```"), 4096)
    assert len(parts) == 4
    assert parts[0].text.startswith("Look:\n\n    print(0)")
    assert all(part.text.startswith("    print(") for part in parts[1:]), "its indentation stays"
    assert "\n".join(part.text for part in parts).removeprefix("Look:\n\n") == code
    assert {entity.language for part in parts for entity in part.entities} == {"py"}


def test_a_style_goes_on_in_the_next_part() -> None:
    parts = split_formatted(formatted(f"**{'bold ' * 30}end**"), 100)
    assert [(span.kind, span.start, span.end) for part in parts for span in part.spans] == [
        ("bold", 0, len(part.text)) for part in parts
    ]


def test_at_most_a_hundred_entities() -> None:
    parts = split_formatted(formatted("**a** `b` " * 120), 4096)
    assert [len(part.spans) for part in parts] == [100, 100, 40]


def test_links_are_written_out_where_formatting_is_refused() -> None:
    assert formatted("See [june](https://j.example), **now**.").plain == "See june (https://j.example), now."


def test_joining_leaves_out_what_is_empty() -> None:
    bold = Formatted("b", (Span(0, 1, "bold"),))
    assert joined((Formatted(""), bold, Formatted(""), bold), "\n\n") == (
        "b\n\nb",
        (Span(0, 1, "bold"), Span(3, 4, "bold")),
    )


def test_white_space_alone_has_no_parts() -> None:
    assert split_formatted(Formatted(" \n "), 10) == []


@given(
    st.one_of(st.lists(BLOCKS, max_size=12).map("\n\n".join), st.text("*`~# \n>-|ab😀", max_size=300)),
    st.integers(20, 200),
)
def test_parts_hold_all_of_it_within_the_limits(markdown: str, limit: int) -> None:
    whole = formatted(markdown)
    parts = split_formatted(whole, limit)
    assert "".join("".join(part.text for part in parts).split()) == "".join(whole.text.split())
    for part in parts:
        assert units(part.text) <= limit
        assert len(part.spans) <= MOST_ENTITIES
        assert marked(part.text, [entity.to_dict() for entity in part.entities])[0] == part.text
