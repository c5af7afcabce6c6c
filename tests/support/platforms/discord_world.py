"""The state of the fake Discord (people, channels, messages, files), and the documented rules of messages."""

import base64
import binascii
import itertools
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

JSON = dict[str, Any]

EPOCH_MS = 1_420_070_400_000
BOT, APPLICATION = "1001", "1002"
TOKEN = "fake.discord.token"
VOICE_FLAG = 1 << 13
SUPPRESS_EMBEDS = 1 << 2
CONTENT_INTENT = 1 << 15
DM, GUILD_TEXT, PUBLIC_THREAD = 1, 0, 11
UPLOAD_LIMIT = 10 * 1024 * 1024
TEXT_LIMIT = 2000
NONCE_LIMIT = 25
EDITS_IN_A_ROW, EDIT_SECONDS = 5, 5.0
MOST_POINTS = 256


class RefusalError(Exception):
    """The answer to a request that broke a rule."""

    def __init__(self, status: int, code: int, message: str = "") -> None:
        super().__init__(message or str(code))
        self.status, self.code = status, code


@dataclass
class Upload:
    """A file part of a request."""

    name: str
    data: bytes
    content_type: str


@dataclass
class World:
    """Discord's state, and the refusals that tests ask for."""

    content_allowed: bool = False
    """The application has the message-content intent."""
    users: dict[str, JSON] = field(default_factory=dict)
    channels: dict[str, JSON] = field(default_factory=dict)
    guilds: dict[str, JSON] = field(default_factory=dict)
    messages: defaultdict[str, list[JSON]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, bytes] = field(default_factory=dict)
    nonces: dict[tuple[str, str], JSON] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    """Nonces that came again, and were answered with the message made before."""
    no_voice: dict[str, int] = field(default_factory=dict)
    """Channels that refuse voice messages, with the error's code."""
    no_files: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    """Channels that refuse everything, with the error's code."""
    edits: defaultdict[str, deque[float]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=EDITS_IN_A_ROW))
    )
    """When the last messages of a channel were edited."""
    links: int = 0
    """Version of the signed links; older ones have expired."""
    stale: int = 0
    """Number of the next links that have expired already."""
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Start with the bot as the only user."""
        self.users[BOT] = user(BOT, "june", bot=True)

    def snowflake(self) -> str:
        """Make an id that holds the time, as Discord's do."""
        return str(((int(time.time() * 1000) - EPOCH_MS) << 22) + next(self._ids) % 4096)

    # People and channels

    def person(self, name: str) -> str:
        """Add a person; return the id."""
        number = self.snowflake()
        self.users[number] = user(number, name)
        return number

    def guild(self, name: str = "home", locale: str = "en-US") -> str:
        """Add a server with june in it; return the id."""
        number = self.snowflake()
        self.guilds[number] = {"id": number, "name": name, "owner_id": BOT, "preferred_locale": locale}
        return number

    def channel(self, guild: str, name: str = "general", parent: str | None = None) -> str:
        """Open a text channel of a server, or a thread in one."""
        number = self.snowflake()
        kind = PUBLIC_THREAD if parent else GUILD_TEXT
        self.channels[number] = {
            "id": number, "type": kind, "guild_id": guild, "name": name, "position": 0, "permission_overwrites": [],
            "parent_id": parent, "nsfw": False,
        }  # fmt: skip
        if parent:
            metadata = {"archived": False, "auto_archive_duration": 60, "locked": False, "archive_timestamp": now()}
            self.channels[number] |= {
                "owner_id": BOT,
                "message_count": 0,
                "member_count": 1,
                "thread_metadata": metadata,
            }
        return number

    def private(self, person: str) -> str:
        """Find or open the private channel with somebody."""
        for number, channel in self.channels.items():
            if channel["type"] == DM and channel["recipients"][0]["id"] == person:
                return number
        number = self.snowflake()
        self.channels[number] = {"id": number, "type": DM, "recipients": [self.users[person]], "last_message_id": None}
        return number

    def channel_of(self, number: str) -> JSON:
        """Find a channel that june may write to."""
        if number not in self.channels:
            raise RefusalError(404, 10003, "Unknown Channel")
        if number in self.closed:
            raise RefusalError(403, self.closed[number], "closed")
        return self.channels[number]

    # Messages

    def post(self, channel: str, author: str, body: JSON, uploads: list[Upload]) -> JSON:
        """Create a message from a request's body, by the documented rules."""
        self.channel_of(channel)
        nonce = str(body.get("nonce") or "")
        if len(nonce) > NONCE_LIMIT:
            raise RefusalError(400, 50035, "nonce")
        known = self.nonces.get((author, nonce)) if body.get("enforce_nonce") else None
        if known:
            self.repeated.append(nonce)
            return known
        check(body, uploads)
        if author == BOT:
            self._permit(channel, body, uploads)
        made = self._make(channel, author, body, uploads)
        if nonce:
            made["nonce"] = nonce
            self.nonces[author, nonce] = made
        return made

    def _permit(self, channel: str, body: JSON, uploads: list[Upload]) -> None:
        if any(len(upload.data) > UPLOAD_LIMIT for upload in uploads):  # people may pay for more
            raise RefusalError(413, 40005, "Request entity too large")
        if body.get("flags", 0) & VOICE_FLAG and channel in self.no_voice:
            raise RefusalError(403 if self.no_voice[channel] == 50013 else 400, self.no_voice[channel])
        if uploads and channel in self.no_files:
            raise RefusalError(403, self.no_files[channel])

    def _make(self, channel: str, author: str, body: JSON, uploads: list[Upload]) -> JSON:
        number = self.snowflake()
        given = {str(item.get("id")): item for item in body.get("attachments", [])}
        attachments = [self._store(channel, upload, given.get(str(i), {})) for i, upload in enumerate(uploads)]
        content = (body.get("content") or "").strip()  # as Discord does
        made: JSON = {
            "id": number, "channel_id": channel, "author": self.users[author], "content": content, "timestamp": now(),
            "edited_timestamp": None, "tts": False, "mention_everyone": False, "mention_roles": [],
            "mentions": [who for uid, who in self.users.items() if f"<@{uid}>" in content], "attachments": attachments,
            "embeds": [], "pinned": False, "type": 0, "flags": body.get("flags", 0), "components": [],
        }  # fmt: skip
        self._refer(made, body)
        self.messages[channel].append(made)
        return made

    def _refer(self, made: JSON, body: JSON) -> None:
        """Make it a reply, unless the message it replies to was deleted."""
        reference = body.get("message_reference")
        if not reference:
            return
        target = self.message(made["channel_id"], str(reference["message_id"]))
        if target is None:
            if reference.get("fail_if_not_exists", True):
                raise RefusalError(400, 50035, "Unknown message")
            return
        made["type"] = 19
        made["message_reference"] = {"message_id": target["id"], "channel_id": made["channel_id"]}
        made["referenced_message"] = target
        pings = body.get("allowed_mentions", {}).get("replied_user", "allowed_mentions" not in body)
        if pings and target["author"] not in made["mentions"]:
            made["mentions"].append(target["author"])

    def _store(self, channel: str, upload: Upload, given: JSON) -> JSON:
        number = self.snowflake()
        path = f"/attachments/{channel}/{number}/{upload.name}"
        self.files[path] = upload.data
        kept: JSON = {name: given[name] for name in ("duration_secs", "waveform") if name in given}
        return {
            "id": number, "filename": upload.name, "size": len(upload.data), "url": path, "proxy_url": path,
            "content_type": upload.content_type, **kept,
        }  # fmt: skip

    def message(self, channel: str, number: str) -> JSON | None:
        """Find a message."""
        return next((message for message in self.messages[channel] if message["id"] == number), None)

    def known(self, channel: str, number: str) -> JSON:
        """Find a message that june asks for."""
        self.channel_of(channel)
        found = self.message(channel, number)
        if found is None:
            raise RefusalError(404, 10008, "Unknown Message")
        return found

    def edit_pause(self, channel: str) -> float:
        """Return how many seconds an edit has to wait: a channel takes five in five seconds."""
        edits, now = self.edits[channel], time.monotonic()
        if len(edits) == edits.maxlen and now - edits[0] < EDIT_SECONDS:
            return EDIT_SECONDS - (now - edits[0])
        edits.append(now)
        return 0.0

    def edit(self, channel: str, number: str, body: JSON) -> JSON:
        """Edit one of june's messages: its content, and whether its links are unfolded."""
        found = self.known(channel, number)
        if found["author"]["id"] != BOT:
            raise RefusalError(403, 50005, "Cannot edit a message authored by another user")
        if found["flags"] & VOICE_FLAG:
            raise RefusalError(400, 50162, "Voice messages cannot be edited.")
        check(body, [])
        found |= {"content": body["content"].strip(), "edited_timestamp": now()}
        if "flags" in body:
            found["flags"] = found["flags"] & ~SUPPRESS_EMBEDS | body["flags"] & SUPPRESS_EMBEDS
        return found

    def delete(self, channel: str, number: str) -> None:
        """Delete one of june's messages; it may not delete those of others."""
        found = self.known(channel, number)
        if found["author"]["id"] != BOT:
            raise RefusalError(403, 50013, "Missing Permissions")
        self.messages[channel].remove(found)

    def shown(self, message: JSON, base: str, *, content: bool) -> JSON:
        """Show a message to june: with signed links, and empty without the message-content intent."""
        shown = dict(message)
        if message.get("referenced_message"):
            shown["referenced_message"] = self.shown(message["referenced_message"], base, content=content)
        private = self.channels[message["channel_id"]]["type"] == DM
        to_june = any(mentioned["id"] == BOT for mentioned in message["mentions"])
        if not (content or private or to_june or (message["author"] or {}).get("id") == BOT):
            return shown | {"content": "", "attachments": [], "embeds": [], "components": []}
        return shown | {"attachments": [self._signed(file, base) for file in message["attachments"]]}

    def _signed(self, file: JSON, base: str) -> JSON:
        version = self.links - (1 if self.stale > 0 else 0)
        self.stale = max(0, self.stale - 1)
        link = f"{base}{file['url']}?ex={version}&hm=secret"
        return file | {"url": link, "proxy_url": link}


def check(body: JSON, uploads: list[Upload]) -> None:
    """Refuse a message that breaks Discord's rules."""
    content = body.get("content") or ""
    if len(content.encode("utf-16-le")) > 2 * TEXT_LIMIT:  # whichever way Discord counts
        raise RefusalError(400, 50035, "Must be 2000 or fewer in length.")
    if not content and not uploads:
        raise RefusalError(400, 50006, "Cannot send an empty message")
    if body.get("flags", 0) & VOICE_FLAG:
        _check_voice(body, uploads, content)


def _check_voice(body: JSON, uploads: list[Upload], content: str) -> None:
    if content or body.get("embeds") or body.get("sticker_ids"):
        raise RefusalError(400, 50159, "Voice messages do not support additional content.")
    if len(uploads) != 1:
        raise RefusalError(400, 50160, "Voice messages must have a single audio attachment.")
    given: JSON = next(iter(body.get("attachments", [])), {})
    # The fields are respected only where the part's content type begins with audio/.
    if not uploads[0].content_type.startswith("audio/") or not given.get("duration_secs"):
        raise RefusalError(400, 50161, "Voice messages must have supporting metadata.")
    try:
        points = base64.b64decode(given.get("waveform", ""), validate=True)
    except (binascii.Error, TypeError):
        points = b""
    if not 0 < len(points) <= MOST_POINTS:
        raise RefusalError(400, 50161, "Voice messages must have supporting metadata.")


def user(number: str, name: str, *, bot: bool = False) -> JSON:
    """Describe a user."""
    return {"id": number, "username": name, "discriminator": "0", "global_name": name, "avatar": None, "bot": bot}


def now() -> str:
    """Return the time as Discord writes it."""
    return datetime.now(UTC).isoformat()
