"""What june has logged, apart from its libraries: those tell of what other tests have left behind, too."""

import logging

import pytest

PACKAGES = ("activities.", "agent.", "bots.", "workers.", "workflows.")


def june_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of june's own loggers."""
    return [record for record in caplog.records if record.name.startswith(PACKAGES)]
