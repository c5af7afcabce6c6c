"""Selections: never an option of pytest, never outside the tests' folder."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.errors import BadInputError
from activities.testruns.selection import Selection
from tests.support.suites import GOOD, write_suite

PARTS = st.sampled_from(["a", "b", "sub", "test_x.py", "test_y.py"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
NODES = PATHS | PATHS.map(lambda path: f"{path}::test_one[de]")


@pytest.mark.parametrize(
    "selection",
    [
        {"tests": ["--version"]},
        {"tests": ["@file"]},
        {"tests": ["/etc/passwd"]},
        {"keyword": "-x"},
        {"markers": "@file"},
        {"tests": ["test_a.py\n--version"]},
    ],
)
def test_a_selection_is_no_option(selection: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Selection.model_validate(selection)


def test_a_selection_stays_below_the_root(tmp_path: Path) -> None:
    suite = write_suite(tmp_path / "suite", test_good=GOOD)
    (suite.parent / "test_outside.py").write_text("")
    (suite / "test_link.py").symlink_to(suite.parent / "test_outside.py")
    for node in ("test_link.py", "sub/../../test_outside.py", "test_gone.py"):
        with pytest.raises(BadInputError):
            Selection(tests=(node,)).arguments(suite)
    assert Selection(tests=("test_good.py::a",), keyword="x y").arguments(suite) == [
        "-kx y",
        f"{suite}/test_good.py::a",
    ]


@given(st.text())
def test_any_text_is_one_argument_or_refused(text: str) -> None:
    try:
        selection = Selection(keyword=text, markers=text)
    except ValidationError:
        return
    expected = [f"-k{text}", f"-m{text}"] if text else []
    assert selection.arguments(Path(__file__).parent)[:-1] == expected


@given(tests=st.lists(NODES, max_size=4), module=PATHS)
def test_of_a_module_is_what_is_named_of_it_or_all(tests: list[str], module: str) -> None:
    part = Selection(tests=tuple(tests), keyword="k").of_module(module)
    assert part.keyword == "k"
    above = {str(path) for path in (PurePosixPath(module), *PurePosixPath(module).parents)}
    within = tuple(node for node in tests if node.startswith(f"{module}::"))
    assert part.tests == ((module,) if above & set(tests) or not within else within)


@given(tests=st.lists(NODES, max_size=4), modules=st.lists(PATHS, max_size=2))
def test_without_modules_nothing_of_them_is_left(tests: list[str], modules: list[str]) -> None:
    left = Selection(tests=tuple(tests)).without_modules(modules)
    kept = tuple(node for node in tests if node.partition("::")[0] not in modules)
    assert left is None if tests and not kept else left == Selection(tests=kept)
