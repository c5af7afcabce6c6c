"""A worker's workspace, which must be left without processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.processes.workspace import Workspace
from tests.support.suites import tagged, workspace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workspace]:
    """A worker's workspace; no process that bears its tag is left at the end."""
    opened = workspace(tmp_path / "workspace")
    yield opened
    assert tagged(opened) == []
