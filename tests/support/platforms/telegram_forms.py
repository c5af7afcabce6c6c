"""Requests to the project's own Bot API server, and the rules for them."""

import json
import re
from typing import Any

from aiohttp import web

from activities.text.message_parts import units

MOST_CHARACTERS, MOST_IN_CAPTIONS = 4096, 1024
MEDIA = ("voice", "audio")

Params = dict[str, Any]


class RefusedError(Exception):
    """What the server answers instead of a result."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


async def params_of(request: web.Request) -> Params:
    """Read a form: what looks like JSON is JSON, and a file is its bytes."""
    form = await request.post()
    params: Params = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            if name in MEDIA and not (value.content_type or "").startswith("audio/"):
                raise RefusedError(400, "Bad Request: the part is not marked as audio")
            params[name] = value.file.read()
        else:
            plain = name in {"text", "caption"} or not str(value).startswith(("[", "{"))
            params[name] = value if plain else json.loads(str(value))
    return params


def checked(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text without white space at its ends; refuse one that breaks Telegram's rules."""
    text = text.strip()
    if not text:
        raise RefusedError(400, "Bad Request: message text is empty")
    if units(text) > most:
        raise RefusedError(400, "Bad Request: message is too long")
    return text


def mentions(text: str) -> list[Params]:
    """Mark the names in a text, as Telegram does by itself."""
    found = re.finditer(r"@\w+", text, re.ASCII)
    return [{"type": "mention", "offset": units(text[: name.start()]), "length": len(name[0])} for name in found]
