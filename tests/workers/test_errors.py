"""Expected errors become one sentence and one exit code."""

import pytest
from pydantic import ValidationError

from workers.errors import ExitCode, JuneError, UnavailableError, explain
from workers.settings import EmbeddedSettings


@pytest.mark.parametrize(
    ("error", "code"), [(JuneError("No."), ExitCode.FAULT), (UnavailableError("No."), ExitCode.UNAVAILABLE)]
)
def test_an_expected_error_is_its_own_sentence(error: JuneError, code: ExitCode) -> None:
    assert explain(error) == ("No.", code)


def test_each_wrong_setting_is_named_as_its_variable_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNE_EMBEDDED_UI_PORT", "many")
    monkeypatch.setenv("JUNE_EMBEDDED_HISTORY_DAYS", "0")
    with pytest.raises(ValidationError) as caught:
        EmbeddedSettings()
    sentence, code = explain(caught.value)
    assert code is ExitCode.FAULT
    assert sentence.startswith("A setting of EmbeddedSettings is wrong (")
    assert "ui_port: " in sentence
    assert "history_days: " in sentence
    assert "\n" not in sentence
