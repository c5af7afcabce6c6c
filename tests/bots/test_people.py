"""What people and groups are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import people
from bots.intake import InboundMessage
from bots.people import NAME_CHARS, Names, called, cleaned


def test_a_message_tells_who_wrote_of_whom_and_where() -> None:
    names = Names()
    told = {"about": "2", "about_name": "Bob", "group": "-1", "group_name": "Garden", "places": ("7", "8")}
    names.learn(InboundMessage("p", "-1", "1", "1", "Ada", **told, place_name="#roses"))  # type: ignore[arg-type] # tests give what fits
    names.learn(InboundMessage("p", "-1", "2", "3", ""))
    assert names.of("p") == {"1": "Ada", "2": "Bob", "-1": "Garden", "7": "#roses"}
    assert names.of("q") == {}


def test_the_latest_name_counts_and_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "NAMES_KEPT", 2)
    names = Names()
    for user, name in (("1", "Ada"), ("2", "Bob"), ("1", "Ada L."), ("3", "Eve")):
        names.learn(InboundMessage("p", user, name, user, name))
    assert names.of("p") == {"1": "Ada L.", "3": "Eve"}


def test_an_id_is_told_only_where_it_is_needed() -> None:
    names = {"1": "Ada", "2": "Ada", "3": "Bob"}
    assert [called(who, names) for who in ("1", "3", "4")] == ["Ada (1)", "Bob", "4"]


@given(st.text(max_size=200))
def test_any_name_is_one_short_line(name: str) -> None:
    clean = cleaned(name)
    assert clean.isprintable()
    assert len(clean) <= NAME_CHARS
    assert clean == cleaned(clean)
