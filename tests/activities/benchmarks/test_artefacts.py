"""Whose the files of a run are."""

import pytest

from activities.benchmarks.artefacts import owner_of


def test_each_attempt_has_a_folder_of_its_own() -> None:
    whole, one = owner_of("a-run"), owner_of("a-run", "simple", 2)
    assert (whole.platform, whole.chat, whole.thread) == ("bench", "a-run", None)
    assert (one.platform, one.chat, one.thread) == ("bench", "a-run", "simple.2")


@pytest.mark.parametrize("name", ["HumanEval/0", "ä b", "x" * 300, "../../etc", ".."])
def test_any_name_becomes_an_identifier_and_different_ones_stay_different(name: str) -> None:
    owner = owner_of(name, name, 0)
    assert owner.thread
    assert len(owner.thread) <= 120
    assert owner_of(name, name, 1).thread != owner.thread
    assert owner_of(name.replace("/", "-") + "x").chat != owner.chat


def test_names_that_are_alike_are_told_apart() -> None:
    assert owner_of("a/b").chat != owner_of("a-b").chat
