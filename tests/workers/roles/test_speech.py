"""What benchmarks recognize by."""

from pathlib import Path

import pytest

from activities.speech.measure import ColumnError
from workers.engines.noop import NoopRecognizer
from workers.roles.speech import Columns, no_engines
from workers.settings import StorageSettings, WhisperSettings


@pytest.mark.parametrize("column", ["none", "stock", "base", "en_US-joe-medium"])
def test_a_column_that_is_not_here_is_refused(tmp_path: Path, column: str) -> None:
    june = NoopRecognizer()
    columns = Columns(june, WhisperSettings(), StorageSettings(home=tmp_path))
    assert columns.recognizer("june") is june
    with pytest.raises(ColumnError):
        columns.recognizer(column)


def test_without_engines_all_columns_are_one() -> None:
    june = NoopRecognizer()
    assert no_engines(june).recognizer("stock") is june
