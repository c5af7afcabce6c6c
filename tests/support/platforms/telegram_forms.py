"""Requests to the project's own Bot API server, and the rules for them."""

import json
import re
from typing import Any

from aiohttp import web

from activities.text.message_parts import units

MOST_CHARACTERS, MOST_IN_CAPTIONS = 4096, 1024
MEDIA = ("voice", "audio")
MOST_ENTITIES = 100
LINKS = ("http://", "https://", "tg://", "mailto:", "tel:")
LITERAL = ("code", "pre")

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
            params |= {name: value.file.read(), "filename": value.filename}
        else:
            plain = name in {"text", "caption"} or not str(value).startswith(("[", "{"))
            params[name] = value if plain else json.loads(str(value))
    return params


def marked(text: str, entities: list[Params], most: int = MOST_CHARACTERS) -> tuple[str, list[Params]]:
    """Return a text as it is shown, and its entities; refuse what breaks Telegram's rules.

    White space at the beginning goes, up to the first entity.
    """
    for entity in entities:
        if entity["offset"] < 0 or entity["length"] <= 0 or entity["offset"] + entity["length"] > units(text):
            raise RefusedError(400, "Bad Request: ENTITY_BOUNDS_INVALID")
        if entity["type"] == "text_link" and not entity["url"].startswith(LINKS):
            raise RefusedError(400, "Bad Request: wrong HTTP URL specified")
        if entity["type"] in LITERAL and any(_crosses(entity, other) for other in entities):
            raise RefusedError(400, "Bad Request: can't parse entities: code holds other formatting")
    if len(entities) > MOST_ENTITIES:
        raise RefusedError(400, "Bad Request: ENTITIES_TOO_LONG")
    blank = len(text) - len(text.lstrip())
    blank = min([blank, *(entity["offset"] for entity in entities)])
    shifted = [entity | {"offset": entity["offset"] - blank} for entity in entities]
    shown = text[blank:].rstrip()
    if not shown.strip():
        raise RefusedError(400, "Bad Request: message text is empty")
    if units(shown) > most:
        what = "message is too long" if most == MOST_CHARACTERS else "message caption is too long"
        raise RefusedError(400, f"Bad Request: {what}")
    return shown, shifted


def _crosses(code: Params, other: Params) -> bool:
    """Check whether an entity that code may not be within, or hold, touches it."""
    if other is code or other["type"].endswith("blockquote"):
        return False
    starts = max(code["offset"], other["offset"])
    return bool(starts < min(code["offset"] + code["length"], other["offset"] + other["length"]))


def cut_out(text: str, entity: Params) -> str:
    """Return the text that an entity marks."""
    data = text.encode("utf-16-le")
    return data[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def mentions(text: str) -> list[Params]:
    """Mark the names in a text, as Telegram does by itself."""
    found = re.finditer(r"@\w+", text, re.ASCII)
    return [{"type": "mention", "offset": units(text[: name.start()]), "length": len(name[0])} for name in found]
