"""``june settings``: every setting, as a table that the documentation shows and a test compares."""

from pydantic import SecretStr

from workers import settings
from workers.settings import areas

HEADER = """# Settings

Read from the environment; `june settings` prints this page. Temporal's own connection (address, TLS, API key, profile)
comes from Temporal's environment configuration (`TEMPORAL_ADDRESS` and the others).
"""


def page() -> str:
    """Return all settings as Markdown, an area a section."""
    lines = [HEADER]
    for area in areas():
        title, prefix = area.__name__.removesuffix("Settings"), area.model_config.get("env_prefix", "")
        lines += [f"## {title}", "", _line(area.__doc__), "", "| setting | default | |", "|---|---|---|"]
        for name, field in area.model_fields.items():
            value = list(map(str, field.default)) if isinstance(field.default, tuple) else field.default
            hidden = isinstance(value, SecretStr) or value == ""
            default = "" if hidden else f"`{str(value).replace(str(settings.PROJECT), '.')}`"
            lines.append(f"| `{f'{prefix}{name}'.upper()}` | {default} | {_line(field.description)} |")
        lines.append("")
    return "\n".join(lines)


def _line(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())
