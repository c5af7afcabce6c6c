"""Failures have codes."""

import pytest

from activities.coding.errors import as_coding_error
from activities.error_codes import CodingCode
from activities.sandbox.archive import ArchiveError
from activities.sandbox.sandbox import SandboxError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ArchiveError("workspace-too-large", "Too large."), CodingCode.WORKSPACE_TOO_LARGE),
        (ArchiveError("workspace-unreadable", "Unreadable."), CodingCode.WORKSPACE_UNREADABLE),
        (ArchiveError("archive-damaged", "Damaged."), CodingCode.ARCHIVE_DAMAGED),
        (SandboxError("sandbox-unavailable", "Install it."), CodingCode.SANDBOX_UNAVAILABLE),
        (SandboxError("sandbox-died", "It ended."), CodingCode.SANDBOX_DIED),
    ],
)
def test_archives_and_sandboxes(error: ArchiveError | SandboxError, code: CodingCode) -> None:
    raised = as_coding_error(error)
    assert (raised.type, raised.message, raised.non_retryable) == (code.value, str(error), True)
