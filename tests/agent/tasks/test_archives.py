"""Files out of tar archives."""

import pytest

from agent.tasks.archives import files_of
from tests.agent.tasks.own_sets import repair_archive


def test_files_by_path() -> None:
    files = files_of(repair_archive())
    assert len(files) == 12
    assert files["python_programs/windows.py"].startswith("def windows(items, size):\n")


@pytest.mark.parametrize(
    "data", [b"", b"x" * 1024, repair_archive()[:700], repair_archive().replace(b"def ", b"\xff\xfe ")]
)
def test_what_is_no_archive_of_texts_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        files_of(data)
