"""The page of all settings."""

from pydantic import SecretStr

from workers.commands.settings_page import page
from workers.settings import PROJECT, areas, secret_names


def rows() -> dict[str, str]:
    """Return the default of each setting on the page."""
    cells = [line.split("|") for line in page().splitlines() if line.startswith("| `")]
    return {setting.strip(" `"): default.strip() for _, setting, default, *_ in cells}


def test_every_setting_has_a_row() -> None:
    names = {
        f"{area.model_config.get('env_prefix', '')}{name}".upper() for area in areas() for name in area.model_fields
    }
    assert rows().keys() == names


def test_secrets_show_no_default() -> None:
    assert secret_names()
    assert {rows()[name] for name in secret_names()} == {""}
    assert any(isinstance(field.default, SecretStr) for area in areas() for field in area.model_fields.values())


def test_defaults_name_no_folder_of_this_machine() -> None:
    assert str(PROJECT) not in page()
    assert rows()["JUNE_HOME"] == "`./var`"
