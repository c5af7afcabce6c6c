"""A fake Discord over TCP, REST and gateway: real clients connect to it, and it enforces the documented rules."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.platforms.discord_gateway import Gateway
from tests.support.platforms.discord_world import (
    APPLICATION,
    BOT,
    DM,
    JSON,
    TOKEN,
    VOICE_FLAG,
    RefusalError,
    Upload,
    World,
    user,
)
from tests.support.waiting import until

API = "/api/v10"
MENTION = f"<@{BOT}>"
TIMEOUT_SECONDS = 30.0


@dataclass
class Fault:
    """What happens to some requests instead."""

    method: str
    path: str
    status: int
    times: int = 1
    retry_after: float | None = None
    via: bool = True
    """The answer is Discord's own; without it, of a proxy before it."""
    after: bool = False
    """The request is done, and only its answer is lost."""


@dataclass
class Interaction:
    """A command that a person sent, and its answers."""

    token: str
    deferred: bool = False
    ephemeral: bool = False
    deleted: bool = False
    answers: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Something was answered, or the wait was ended without an answer."""
        return self.deleted or bool(self.answers)


class FakeDiscord:
    """The server, and what the people on it do."""

    def __init__(self) -> None:
        """Start without people, channels and messages."""
        self.world = World()
        self.gateway = Gateway(self.world)
        self.base = ""
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.edits: list[tuple[str, str]] = []
        """Messages that june edited, with their new content, in order."""
        self.commands: list[JSON] = []
        """As the bot registered them."""
        self.interactions: dict[str, Interaction] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point june here."""
        return {
            "JUNE_DISCORD_TOKEN": TOKEN,
            "JUNE_DISCORD_API_BASE": f"{self.base}{API}",
            "JUNE_DISCORD_GATEWAY_URL": self.gateway.url,
        }

    # What people do

    async def say(
        self,
        channel: str,
        author: str,
        content: str = "",
        *,
        files: tuple[Upload, ...] = (),
        voice_seconds: float | None = None,
        reply_to: str | None = None,
        ping: bool = True,
    ) -> str:
        """Write, or send files; with ``voice_seconds`` the file is a voice message. Return the message's id."""
        body: JSON = {"content": content}
        if voice_seconds is not None:
            body |= {
                "flags": VOICE_FLAG,
                "attachments": [{"id": "0", "duration_secs": voice_seconds, "waveform": "AAAA"}],
            }
        if reply_to:
            body |= {"message_reference": {"message_id": reply_to}, "allowed_mentions": {"replied_user": ping}}
        message = self.world.post(channel, author, body, list(files))
        await self.tell("MESSAGE_CREATE", message)
        return str(message["id"])

    async def voice(self, channel: str, author: str, data: bytes, seconds: float = 1.0, **more: Any) -> str:  # noqa: ANN401
        """Send a voice message."""
        upload = Upload("voice-message.ogg", data, "audio/ogg")
        return await self.say(channel, author, files=(upload,), voice_seconds=seconds, **more)

    async def edit(self, channel: str, message: str, content: str) -> None:
        """Edit a message."""
        found = self.world.message(channel, message)
        assert found
        found |= {"content": content, "edited_timestamp": found["timestamp"]}
        await self.tell("MESSAGE_UPDATE", found)

    async def slash(
        self, channel: str, author: str, name: str, argument: str = "", locale: str = "en-US"
    ) -> Interaction:
        """Send a slash command; wait for its answer."""
        options = [{"name": "argument", "type": 3, "value": argument}] if argument else []
        data = {"id": self._command(name, 1), "name": name, "type": 1, "options": options}
        return await self._interact(channel, author, data, locale)

    async def choose(self, channel: str, author: str, message: str, locale: str = "en-US") -> Interaction:
        """Choose june's command in the menu of a message; wait for its answer. The target is sent in full."""
        found = self.world.message(channel, message)
        assert found
        target = self.world.shown(found, self.base, content=True)
        name = next(command["name"] for command in self.commands if command["type"] == 3)
        resolved = {"messages": {message: target}}
        data = {"id": self._command(name, 3), "name": name, "type": 3, "target_id": message, "resolved": resolved}
        return await self._interact(channel, author, data, locale)

    def _command(self, name: str, kind: int) -> str:
        return str(next(c["id"] for c in self.commands if c["name"] == name and c["type"] == kind))

    async def _interact(self, channel: str, author: str, data: JSON, locale: str) -> Interaction:
        number = self.world.snowflake()
        interaction = self.interactions[number] = Interaction(token=f"token-{number}")
        event: JSON = {
            "id": number, "application_id": APPLICATION, "type": 2, "token": interaction.token, "version": 1,
            "channel": self.world.channels[channel], "channel_id": channel, "locale": locale, "data": data,
            "attachment_size_limit": 10_485_760, "entitlements": [], "authorizing_integration_owners": {},
            "app_permissions": str((1 << 53) - 1),
        }  # fmt: skip
        who = self.world.users[author]
        guild = self.world.channels[channel].get("guild_id")
        if guild:
            member: JSON = {
                "user": who,
                "roles": [],
                "joined_at": None,
                "permissions": "0",
                "deaf": False,
                "mute": False,
            }
            event |= {"guild_id": guild, "member": member | {"flags": 0}, "context": 0}
        else:
            event |= {"user": who, "context": 1}
        await self.gateway.emit("INTERACTION_CREATE", event)
        await until(lambda: interaction.done)
        return interaction

    # What can be seen

    def sent(self, channel: str) -> list[JSON]:
        """List what june sent to a channel."""
        return [message for message in self.world.messages[channel] if (message["author"] or {}).get("id") == BOT]

    def texts(self, channel: str) -> list[JSON]:
        """List june's written messages in a channel."""
        return [message for message in self.sent(channel) if message["content"]]

    def voices(self, channel: str) -> list[JSON]:
        """List june's native voice messages in a channel."""
        return [message for message in self.sent(channel) if message["flags"] & VOICE_FLAG]

    def file(self, message: JSON) -> bytes:
        """Read the file of a message."""
        return self.world.files[message["attachments"][0]["url"]]

    async def tell(self, event: str, message: JSON) -> None:
        """Send a message's event to all sessions, with as much of it as june may read."""
        channel = self.world.channels[message["channel_id"]]
        more: JSON = {}
        if channel["type"] != DM:
            member: JSON = {"roles": [], "joined_at": None, "deaf": False, "mute": False, "flags": 0}
            more = {"guild_id": channel["guild_id"], "member": member}
        shown = self.world.shown(message, self.base, content=self.world.content_allowed)
        await self.gateway.emit(event, shown | more)

    # REST

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request of the REST interface."""
        path = request.path.removeprefix(API)
        self.requests.append((request.method, path))
        fault = self._fault(request.method, path)
        if fault and not fault.after:
            return _broken(fault)
        try:
            if (
                not path.startswith(("/interactions/", "/webhooks/"))
                and request.headers.get("Authorization") != f"Bot {TOKEN}"
            ):
                raise RefusalError(401, 0, "401: Unauthorized")  # noqa: TRY301 - one place that words refusals
            body, uploads = await _read(request)
            answer = await self._answer(request, path, body, uploads)
        except RefusalError as refusal:
            return _json({"code": refusal.code, "message": str(refusal)}, refusal.status)
        if fault:
            return _broken(fault)
        if isinstance(answer, web.Response):
            return answer
        return web.Response(status=204) if answer is None else _json(answer)

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None

    async def _answer(self, request: web.Request, path: str, body: JSON, uploads: list[Upload]) -> Any:  # noqa: ANN401
        match (request.method, *path.strip("/").split("/")):
            case ("GET", "users", "@me"):
                return self.world.users[BOT]
            case ("GET", "oauth2", "applications", "@me") | ("GET", "applications", "@me"):
                return {
                    "id": APPLICATION, "name": "june", "icon": None, "description": "", "owner": user("1", "owner"),
                    "verify_key": "", "bot_public": False, "bot_require_code_grant": False, "flags": 0,
                }  # fmt: skip
            case ("PUT", "applications", _, "commands"):
                made = {
                    "application_id": APPLICATION,
                    "version": "1",
                    "default_member_permissions": None,
                    "description": "",
                }
                given: list[JSON] = body["list"]
                self.commands = [
                    {"type": 1} | made | command | {"id": str(2000 + i)} for i, command in enumerate(given)
                ]
                return self.commands
            case ("POST", "users", "@me", "channels"):
                return self._open(str(body["recipient_id"]))
            case ("GET", "channels", channel):
                return self.world.channel_of(channel)
            case ("GET", "channels", channel, "messages"):
                return self._history(channel, request)
            case ("GET", "channels", channel, "messages", message):
                found = self.world.known(channel, message)
                return self.world.shown(found, self.base, content=self.world.content_allowed)
            case ("PATCH", "channels", channel, "messages", message):
                wait = self.world.edit_pause(channel)
                if wait:
                    return _broken(Fault("PATCH", path, 429, retry_after=wait))
                edited = self.world.edit(channel, message, body)
                self.edits.append((message, str(edited["content"])))
                await self.tell("MESSAGE_UPDATE", edited)
                return self.world.shown(edited, self.base, content=True)
            case ("DELETE", "channels", channel, "messages", message):
                self.world.delete(channel, message)
                return None
            case ("POST", "channels", channel, "typing"):
                self.world.channel_of(channel)
                return None
            case ("POST", "channels", channel, "messages"):
                posted = self.world.post(channel, BOT, body, uploads)
                await self.tell("MESSAGE_CREATE", posted)
                return self.world.shown(posted, self.base, content=True)
            case (_, "interactions" | "webhooks", *_):
                return self._interaction(request, path, body)
        raise RefusalError(404, 0, f"The fake has no {request.method} {path}")

    def _open(self, person: str) -> JSON:
        if person not in self.world.users:
            raise RefusalError(400, 50033, "Invalid Recipient(s)")
        return self.world.channels[self.world.private(person)]

    def _history(self, channel: str, request: web.Request) -> list[JSON]:
        self.world.channel_of(channel)
        before = int(request.query.get("before", 1 << 63))
        after = int(request.query.get("after", 0))
        found = [m for m in self.world.messages[channel] if after < int(m["id"]) < before]
        shown = [self.world.shown(m, self.base, content=self.world.content_allowed) for m in reversed(found)]
        return shown[: int(request.query.get("limit", 50))]

    def _interaction(self, request: web.Request, path: str, body: JSON) -> JSON | None:
        parts = path.strip("/").split("/")
        interaction = next((known for known in self.interactions.values() if known.token in parts), None)
        if interaction is None:
            raise RefusalError(404, 10062, "Unknown interaction")
        if parts[0] == "interactions":
            interaction.deferred = body["type"] == 5
            interaction.ephemeral = bool(body.get("data", {}).get("flags", 0) & 64)
            callback = {"id": parts[1], "type": 2, "response_message_loading": True, "response_message_ephemeral": True}
            return {"interaction": callback, "resource": {"type": 5}}
        if request.method == "DELETE":
            interaction.deleted = True
            return None
        content = body.get("content") or ""
        if not 0 < len(content) <= 2000:
            raise RefusalError(400, 50035, "content")
        interaction.answers.append(content)
        channel = next(iter(self.world.channels))
        return _followup(self.world.snowflake(), channel, body)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Serve a file to whoever has a link that is still good."""
        data = self.world.files.get(request.path)
        if data is None or request.query.get("ex") != str(self.world.links):
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=data)


def _followup(number: str, channel: str, body: JSON) -> JSON:
    return {
        "id": number, "channel_id": channel, "author": user(BOT, "june", bot=True), "content": body["content"],
        "timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None, "tts": False, "mention_everyone": False,
        "mention_roles": [], "mentions": [], "attachments": [], "embeds": [], "pinned": False, "type": 0,
        "flags": 64, "components": [], "webhook_id": APPLICATION,
    }  # fmt: skip


async def _read(request: web.Request) -> tuple[JSON, list[Upload]]:
    if request.content_type == "application/json":
        read = json.loads(await request.text())
        return (read if isinstance(read, dict) else {"list": read}), []
    if not request.content_type.startswith("multipart/"):
        return {}, []
    body: JSON = {}
    uploads: list[Upload] = []
    async for part in await request.multipart():
        name = getattr(part, "name", None)
        if name == "payload_json":
            body = json.loads(await part.text())  # type: ignore[union-attr]
        elif name and name.startswith("files["):
            data = bytes(await part.read())  # type: ignore[union-attr]
            uploads.append(Upload(part.filename or "file", data, part.headers.get("Content-Type", "")))  # type: ignore[union-attr]
    return body, uploads


def _broken(fault: Fault) -> web.Response:
    headers = {"Via": "1.1 google"} if fault.via else {}
    if fault.status != 429:
        return web.Response(status=fault.status, text="<html>broken</html>", content_type="text/html")
    wait = fault.retry_after or 0.1
    if not fault.via:
        return web.Response(
            status=429, text="<html>slow down</html>", content_type="text/html", headers={"Retry-After": f"{wait:.0f}"}
        )
    return _json({"message": "You are being rate limited.", "retry_after": wait, "global": False}, 429, headers)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer in the one media type that discord.py parses: without a charset."""
    given = {"Content-Type": "application/json"} | (headers or {})
    return web.Response(body=json.dumps(value).encode(), status=status, headers=given)


@asynccontextmanager
async def running() -> AsyncIterator[FakeDiscord]:
    """Serve on a free port of loopback."""
    fake = FakeDiscord()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_get("/gw", fake.gateway.handle)
    app.router.add_get("/gw/", fake.gateway.handle)
    app.router.add_get("/attachments/{path:.*}", fake.download)
    app.router.add_route("*", API + "/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    fake.base, fake.gateway.url = f"http://{host}:{port}", f"ws://{host}:{port}/gw"
    try:
        yield fake
    finally:
        await fake.gateway.drop()
        await runner.cleanup()
