"""The fake Discord's gateway: sessions that receive events, lose their connection, and resume."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.support.platforms.discord_world import APPLICATION, BOT, CONTENT_INTENT, DM, PUBLIC_THREAD, TOKEN, World

JSON = dict[str, Any]
HEARTBEAT_MS = 41_250
RESUMABLE = 4000
INVALID_TOKEN, DISALLOWED_INTENT = 4004, 4014


@dataclass
class Session:
    """A session, connected or not; its events are kept for a resume."""

    id: str
    intents: int
    socket: web.WebSocketResponse | None
    events: list[JSON] = field(default_factory=list)
    resumed: int = 0


class Gateway:
    """Sends events to whoever is connected."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self.sessions: list[Session] = []
        self.broken: int | str | None = None
        """How handshakes fail: an HTTP status, a code with which identified clients are closed, or the first words."""
        self.heard: list[int] = []
        """Operations that clients sent, in order."""

    @property
    def connected(self) -> list[Session]:
        """The sessions that have a connection now."""
        return [session for session in self.sessions if session.socket is not None]

    async def emit(self, name: str, data: JSON) -> None:
        """Send an event to all sessions; those without a connection receive it when they resume."""
        for session in self.sessions:
            await self._send(session, name, data)

    async def drop(self) -> int:
        """Break all connections, such that sessions may resume; return the number."""
        dropped = self.connected
        for session in dropped:
            socket, session.socket = session.socket, None
            if socket:
                await socket.close(code=RESUMABLE)
        return len(dropped)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        if isinstance(self.broken, int) and self.broken < 1000:
            return web.Response(status=self.broken, text="<html>no gateway</html>", content_type="text/html")
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        if isinstance(self.broken, str):
            if self.broken:
                await socket.send_str(self.broken)
            await socket.close(code=1011)
            return socket
        await socket.send_str(json.dumps({"op": 10, "d": {"heartbeat_interval": HEARTBEAT_MS}, "s": None, "t": None}))
        session: Session | None = None
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                break
            message = json.loads(frame.data)
            self.heard.append(message["op"])
            if message["op"] == 1:
                await socket.send_str(json.dumps({"op": 11, "d": None, "s": None, "t": None}))
            elif message["op"] == 2:
                session = await self._identify(socket, message["d"])
            elif message["op"] == 6:
                session = await self._resume(socket, message["d"])
        if session and session.socket is socket:
            session.socket = None
        return socket

    async def _identify(self, socket: web.WebSocketResponse, data: JSON) -> Session | None:
        if self.broken:
            await socket.close(code=int(self.broken))
            return None
        if data["token"] != TOKEN:
            await socket.close(code=INVALID_TOKEN)
            return None
        if data["intents"] & CONTENT_INTENT and not self.world.content_allowed:
            await socket.close(code=DISALLOWED_INTENT)
            return None
        session = Session(uuid4().hex, data["intents"], socket)
        self.sessions.append(session)
        ready = {
            "v": 10, "user": self.world.users[BOT], "private_channels": [], "session_id": session.id,
            "guilds": [{"id": guild, "unavailable": True} for guild in self.world.guilds],
            "resume_gateway_url": self.url, "application": {"id": APPLICATION, "flags": 0},
        }  # fmt: skip
        await self._send(session, "READY", ready)
        for guild in self.world.guilds:
            await self._send(session, "GUILD_CREATE", self.guild(guild))
        return session

    async def _resume(self, socket: web.WebSocketResponse, data: JSON) -> Session | None:
        session = next((known for known in self.sessions if known.id == data["session_id"]), None)
        if session is None or data["token"] != TOKEN:
            await socket.send_str(json.dumps({"op": 9, "d": False, "s": None, "t": None}))
            return None
        session.socket = socket
        session.resumed += 1
        for event in [event for event in session.events if event["s"] > data["seq"]]:
            await socket.send_str(json.dumps(event))
        await self._send(session, "RESUMED", {})
        return session

    async def _send(self, session: Session, name: str, data: JSON) -> None:
        event = {"op": 0, "s": len(session.events) + 1, "t": name, "d": data}
        session.events.append(event)
        if session.socket is not None:
            try:
                await session.socket.send_str(json.dumps(event))
            except (ConnectionError, RuntimeError):  # the client is gone; it receives the event if it resumes
                session.socket = None

    def guild(self, number: str) -> JSON:
        """Return a server as a client receives it when a session starts."""
        channels = [channel for channel in self.world.channels.values() if channel.get("guild_id") == number]
        everyone = {
            "id": number, "name": "@everyone", "permissions": str((1 << 53) - 1), "position": 0, "color": 0,
            "hoist": False, "managed": False, "mentionable": False, "flags": 0,
        }  # fmt: skip
        member: dict[str, Any] = {
            "user": self.world.users[BOT],
            "roles": [],
            "joined_at": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        return self.world.guilds[number] | {
            "unavailable": False, "large": False, "member_count": 2, "members": [member], "roles": [everyone],
            "channels": [channel for channel in channels if channel["type"] not in {DM, PUBLIC_THREAD}],
            "threads": [channel for channel in channels if channel["type"] == PUBLIC_THREAD],
            "emojis": [], "stickers": [], "features": [], "voice_states": [], "presences": [], "stage_instances": [],
            "guild_scheduled_events": [], "soundboard_sounds": [], "verification_level": 0, "icon": None,
            "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "premium_tier": 0,
            "system_channel_flags": 0, "nsfw_level": 0, "afk_timeout": 60,
        }  # fmt: skip
