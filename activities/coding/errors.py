"""How an activity of a coding task fails for good; all else that it raises is transient, and Temporal's to retry."""

from temporalio.exceptions import ApplicationError

from activities.error_codes import CodingCode
from activities.sandbox.archive import ArchiveError
from activities.sandbox.sandbox import SandboxError


class CodingError(ApplicationError):
    """A failure that no retry can mend. The workflow reads the code from ``type``."""

    def __init__(self, code: CodingCode, message: str) -> None:
        """Fail for good with this code, and a sentence for people."""
        super().__init__(message, type=code.value, non_retryable=True)


def as_coding_error(error: ArchiveError | SandboxError) -> CodingError:
    """Return the failure that stands for an error of workspaces or sandboxes, with its code and sentence."""
    return CodingError(CodingCode(error.code), str(error))
