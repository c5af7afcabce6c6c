"""Which tests there are, whatever their modules do when they are imported: real processes of pytest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.errors import BadInputError
from activities.processes.workspace import Workspace
from activities.testruns.collect import CollectActivity, CollectRequest
from activities.testruns.selection import Selection
from tests.support.suites import GOOD, MIXED, workspace, write_suite

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    """A worker's place, left empty."""
    opened = workspace(tmp_path / "workspace")
    yield opened
    assert [path.name for path in opened.folder.iterdir()] == ["lock"]


async def collect(place: Workspace, root: Path, **selection: object) -> dict[str, int]:
    """Collect as the activity does; give the tests by module."""
    request = CollectRequest(selection=Selection.model_validate(selection))
    collected = await ActivityEnvironment().run(CollectActivity(place, root).collect, request)
    return {module.path: module.tests for module in collected.modules}


async def test_modules_and_their_tests_are_found(place: Workspace, tmp_path: Path) -> None:
    root = write_suite(tmp_path / "suite", test_good=GOOD, test_mixed=MIXED, other="import nothing_at_all")
    write_suite(root / "sub", test_good=GOOD)
    (root / "sub" / "__init__.py").touch()
    assert await collect(place, root) == {"sub/test_good.py": 3, "test_good.py": 3, "test_mixed.py": 7}
    assert await collect(place, root, tests=["sub"], keyword="two") == {"sub/test_good.py": 2}
    assert await collect(place, root, tests=["test_good.py::test_two[de]"]) == {"test_good.py": 1}


async def test_modules_that_cannot_be_imported_are_run_all_the_same(place: Workspace, tmp_path: Path) -> None:
    """Each with no test known; running it tells what is wrong with it."""
    root = write_suite(
        tmp_path / "suite",
        test_good=GOOD,
        test_kills="import os; os._exit(3)",
        test_lacks="import nothing_at_all",
        test_skips="import pytest; pytest.skip('not here', allow_module_level=True)",
        test_also_kills="import ctypes; ctypes.string_at(0)",
    )
    assert await collect(place, root) == {
        "test_also_kills.py": 0,
        "test_kills.py": 0,
        "test_good.py": 3,
        "test_lacks.py": 0,
        "test_skips.py": 0,
    }
    assert await collect(place, root, tests=["test_kills.py"]) == {"test_kills.py": 0}


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        ({"keyword": "no_such_test"}, "Nothing is selected"),
        ({"tests": ["test_gone.py"]}, "no 'test_gone.py'"),
        ({"tests": ["test_good.py::test_gone"]}, "not found"),
        ({"keyword": "not ("}, "expected"),
    ],
)
async def test_what_selects_nothing_is_refused(
    place: Workspace, tmp_path: Path, selection: dict[str, object], says: str
) -> None:
    root = write_suite(tmp_path / "suite", test_good=GOOD)
    with pytest.raises(BadInputError, match=says) as refusal:
        await collect(place, root, **selection)
    assert refusal.value.non_retryable


async def test_a_missing_folder_is_named(place: Workspace, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="JUNE_TESTS_ROOT"):
        await collect(place, tmp_path / "nowhere")
