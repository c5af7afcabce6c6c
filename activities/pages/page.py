"""Render a page from a template, of which each text is escaped, and has nothing in it that is not seen."""

from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from activities.pages.plain_text import visible

ROOM = "activities.pages"
"""Has what all pages have: ``base.html``, ``parts.html``, ``style.css``."""


def render(package: str, template: str, values: dict[str, Any]) -> bytes:
    """Render a template of a package's folder ``templates`` to an HTML file in UTF-8.

    It extends ``base.html``, which says in a policy of its own that nothing is fetched and no script runs.
    """
    return _environment(package).get_template(template).render(values).encode()


@cache
def _environment(package: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in dict.fromkeys((package, ROOM))]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _seen(value: object) -> object:
    """Spell out what is not seen, in all that templates put in but markup of their own."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
