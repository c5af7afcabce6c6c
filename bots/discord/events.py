"""Discord's events as they come: an odd one is read as far as june needs it, or else logged and skipped.

discord.py reads an event in the loop that reads the gateway, and pages of a channel's history at once, so that what it
cannot read would end the connection, or hide all other messages.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import discord

_log = logging.getLogger(__name__)

SKIPPED = "event-skipped"
"""Stable code in the log: an event was not read. Its content is not logged."""
SESSION_BEGINS = "READY"
"""Without this event there is no session: failing to read it must end the connection."""
LISTS = ("attachments", "components", "embeds", "mentions", "mention_roles", "message_snapshots", "reactions")
OBJECTS = (
    "application",
    "call",
    "interaction",
    "interaction_metadata",
    "member",
    "message_reference",
    "poll",
    "thread",
)
NEEDED_OF_FILES = frozenset({"id", "size", "url", "filename"})
A_POLL = {
    "question": {"text": ""}, "answers": [], "expiry": "2100-01-01T00:00:00+00:00", "allow_multiselect": False,
    "layout_type": 1,
}  # fmt: skip
"""That there is a poll is all that june needs of one; discord.py cannot read those without an end."""
COMMANDS = frozenset({2, 4})
"""Types of interactions that have data: a command, and its completion."""

JSON = dict[str, Any]


def guard(client: discord.Client) -> None:
    """Have each event of a client mended before it is read, and skipped where it cannot be read."""
    parsers = client._connection.parsers  # noqa: SLF001 - where each event is read, one by one
    parsers.update({name: _guarded(client, name, parse) for name, parse in parsers.items()})


def _guarded(client: discord.Client, name: str, parse: Callable[[Any], None]) -> Callable[[Any], None]:
    def read(data: Any) -> None:  # noqa: ANN401 - whatever came
        try:
            parse(mended(client, name, data))
        except Exception as error:
            if name == SESSION_BEGINS:
                raise
            log_skipped(name, data, error)

    return read


def log_skipped(name: str, data: object, error: BaseException) -> None:
    """Log that something of Discord's was skipped, without its content: its type, its id, and where reading failed."""
    number = data.get("id") if isinstance(data, dict) else None
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    known = number if isinstance(number, int | str) and str(number).isdigit() else "unknown"
    _log.warning("%s: %s with id %.24s is skipped (%s at %s)", SKIPPED, name, known, type(error).__name__, where)


def read_messages(client: discord.Client, channel: Any, found: object) -> Iterator[discord.Message]:  # noqa: ANN401
    """Read the messages of a page of a channel's history, those that can be read."""
    for data in found if isinstance(found, list) else []:
        try:
            kept: Any = mended_message(client, data)
            message = client._connection.create_message(channel=channel, data=kept)  # noqa: SLF001 - as the library does
        except Exception as error:  # noqa: BLE001 - recorded; the next one can be read
            log_skipped("a message of the history", data, error)
        else:
            yield message


def mended(client: discord.Client, name: str, data: Any) -> Any:  # noqa: ANN401 - whatever came
    """Return an event such that discord.py can read what june needs of it.

    Raises:
        ValueError: a command without what was commanded.

    """
    if name == "MESSAGE_CREATE":
        return mended_message(client, data)
    if name != "INTERACTION_CREATE" or not isinstance(data, dict):
        return data
    kept = {key: value for key, value in data.items() if value is not None}
    if kept.get("type") in COMMANDS and not isinstance(kept.get("data"), dict):
        message = "a command without data"
        raise ValueError(message)
    return kept


def mended_message(client: discord.Client, data: Any) -> JSON:  # noqa: ANN401 - whatever came
    """Return a message without what is empty or broken beside what june needs.

    discord.py takes an absent field for an empty one, but no null for an absent one.

    Raises:
        TypeError: nobody has written it.

    """
    kept = {key: value for key, value in dict(data).items() if value is not None}
    if not isinstance(kept.get("author"), dict):
        message = "a message without an author"
        raise TypeError(message)
    for name, kind in (*((name, list) for name in LISTS), *((name, dict) for name in OBJECTS)):
        if not isinstance(kept.get(name), kind):
            kept.pop(name, None)
    kept["type"], kept["content"] = kept.get("type", 0), str(kept.get("content", ""))
    kept["attachments"] = list(_files(kept.get("attachments", [])))
    kept["mentions"] = [user for user in kept.get("mentions", []) if isinstance(user, dict) and user.get("id")]
    kept["message_snapshots"] = list(_snapshots(kept.get("message_snapshots", [])))
    if "poll" in kept:
        kept["poll"] = A_POLL
    if "guild_id" not in kept:  # a channel of a server stays one
        around = getattr(client.get_channel(int(kept["channel_id"])), "guild", None)
        kept |= {"guild_id": str(around.id)} if around else {}
    return _with_reference(client, kept, data)


def _with_reference(client: discord.Client, kept: JSON, data: JSON) -> JSON:
    """Mend what a message refers to; a null there says that the message replied to was deleted."""
    reference = kept.get("message_reference")
    if reference is not None:
        here = {"channel_id": kept["channel_id"]}
        kept["message_reference"] = here | {key: value for key, value in reference.items() if value is not None}
    if isinstance(kept.get("referenced_message"), dict):
        replied = {"channel_id": kept["channel_id"]} | kept["referenced_message"]
        kept["referenced_message"] = mended_message(client, replied | {"referenced_message": None})
        kept["referenced_message"].pop("message_reference", None)
    elif reference is not None and "referenced_message" in data:
        kept["referenced_message"] = None
    return kept


def _files(files: list[Any]) -> Iterator[JSON]:
    for file in files:
        if isinstance(file, dict) and all(file.get(name) is not None for name in NEEDED_OF_FILES):
            kept = {key: value for key, value in file.items() if value is not None}
            yield {"proxy_url": kept["url"]} | kept


def _snapshots(snapshots: list[Any]) -> Iterator[JSON]:
    """Mend what a message forwards: of that, june needs the text and the files."""
    for snapshot in snapshots:
        inner = snapshot.get("message") if isinstance(snapshot, dict) else None
        if isinstance(inner, dict):
            files = inner.get("attachments")
            yield {
                "message": {
                    "type": 0,
                    "content": str(inner.get("content") or ""),
                    "embeds": [],
                    "attachments": list(_files(files if isinstance(files, list) else [])),
                    "timestamp": inner.get("timestamp"),
                    "edited_timestamp": None,
                    "flags": inner.get("flags") or 0,
                    "sticker_items": inner.get("sticker_items") or [],
                }
            }
