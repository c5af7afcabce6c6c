"""A Bot API server of the project's own, over TCP: it keeps Telegram's rules, fails on request, records all calls."""

import asyncio
import itertools
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, web

from tests.support.platforms.telegram_forms import (
    MOST_CHARACTERS,
    MOST_IN_CAPTIONS,
    Params,
    RefusedError,
    marked,
    mentions,
    params_of,
)
from tests.support.platforms.telegram_records import Call, Fault, Post

__all__ = ["BOT", "TOKEN", "BotApi", "Call", "Fault", "Post"]

TOKEN = "123456:june-test-token"
BOT: dict[str, Any] = {"id": 123456, "is_bot": True, "first_name": "June", "username": "june_test_bot"}
MOST_DOWNLOADED = 20 << 20
MOST_IN_A_NOTE = 1 << 20
_MESSAGE_IDS = itertools.count(1)
"""Shared by all servers, as june recognizes the message of an id."""


class BotApi:
    """The server, for as long as the block runs."""

    def __init__(self) -> None:
        self.clear()
        self._methods: dict[str, Callable[[Params], Awaitable[Any]]] = {
            name: getattr(self, f"_{name.lower()}")
            for name in (
                *("getMe", "getUpdates", "setWebhook", "deleteWebhook", "setMyCommands", "getFile", "getChat"),
                *("sendMessage", "sendMessageDraft", "editMessageText", "sendVoice", "sendAudio", "sendDocument"),
                "forwardMessage",
                *("deleteMessage", "deleteMessages", "sendChatAction", "setMessageReaction"),
            )
        }
        app = web.Application(client_max_size=60 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        self.url = ""

    def clear(self) -> None:
        """Forget all calls, messages and settings; the address stays."""
        self.calls: list[Call] = []
        self.posts: dict[tuple[int, int], Post] = {}
        """Messages that are there, by chat and id; what was deleted is not."""
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.files: dict[str, bytes] = {}
        self.expired = 0
        """Number of the next downloads whose link has expired."""
        self.blocked_by: set[int] = set()
        self.without_voice: set[int] = set()
        self.migrated: dict[int, int] = {}
        self.lost_topics: dict[tuple[int, int], str] = {}
        """Why nothing can be sent to a topic, by chat and topic: ``TOPIC_CLOSED``, for one."""
        self.titles: dict[int, str] = {}
        """Of groups."""
        self.plain_only = False
        """Formatting is refused."""
        self.impatient = False
        """``getUpdates`` is answered at once, whatever its ``timeout``."""
        self.forgetful = False
        """``getUpdates`` answers with all updates, whatever its ``offset``."""
        self.webhook: Params = {}
        self.commands: dict[str, list[str]] = {}
        self.confirmed = 0
        """Updates that the bot has confirmed."""
        self.updates: deque[Params] = deque()
        self._next_update = 1001
        self._polls = 0
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    # What people do

    def write(self, chat: int, text: str = "", *, user: int = 7, **fields: Any) -> int:  # noqa: ANN401
        """Send a message as a person; return its id."""
        message_id = self._message_id()
        kind = "private" if chat > 0 else "supergroup"
        message: Params = {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": {"id": chat, "type": kind},
            "from": {"id": user, "is_bot": False, "first_name": "Ann", "language_code": "en"},
        }
        if text:
            message["text"] = text
        if text.startswith("/"):
            command = text.split(maxsplit=1)[0]
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        self.posts[chat, message_id] = Post(chat, message_id, by_bot=False, text=text, at=time.monotonic())
        self.push({"message": message | fields})
        return message_id

    def speak(self, chat: int, audio: bytes, *, user: int = 7, size: int | None = None) -> int:
        """Send a voice note as a person; return its id."""
        file_id = f"voice-{len(self.files)}"
        self.files[file_id] = audio
        claimed = len(audio) if size is None else size
        voice = {"file_id": file_id, "file_unique_id": file_id, "duration": 1, "file_size": claimed}
        return self.write(chat, user=user, voice=voice | {"mime_type": "audio/ogg"})

    def push(self, update: Params) -> int:
        """Queue an update; return its id."""
        number, self._next_update = self._next_update, self._next_update + 1
        self.updates.append({"update_id": number} | update)
        self._news.set()
        return number

    async def post_updates(self) -> list[int]:
        """Post the updates to the webhook; return the statuses. What is not taken is kept, as Telegram does."""
        statuses = []
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        async with ClientSession() as session:
            while self.updates:
                async with session.post(self.webhook["url"], json=self.updates[0], headers=headers) as response:
                    statuses.append(response.status)
                if statuses[-1] != web.HTTPOk.status_code:
                    break
                self.updates.popleft()
                self.confirmed += 1
        return statuses

    # What was seen

    def by_bot(self, chat: int) -> list[Post]:
        """List the bot's messages in a chat, in order."""
        return [post for post in self.posts.values() if post.chat == chat and post.by_bot]

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def fail(self, method: str, status: int, description: str, **parameters: int) -> None:
        """Refuse the next call of a method."""
        self.faults[method].append(Fault(RefusedError(status, description, **parameters)))

    # Serving

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            self._admit(request.match_info["token"], method)
            params = await params_of(request)
            self.calls.append(Call(method, params, time.monotonic()))
            fault = self._fault(method, params)
            if fault.hang_before:
                await asyncio.Event().wait()
            if fault.body is not None:
                return web.Response(text=fault.body, content_type="application/json")
            if fault.refusal:
                raise fault.refusal
            result = await self._methods[method](params)
            if fault.hang_after:
                await asyncio.Event().wait()
            if fault.drop_after and request.transport:
                request.transport.close()
        except RefusedError as refused:
            answer = {"ok": False, "error_code": refused.status, "description": refused.description}
            if refused.parameters:
                answer["parameters"] = refused.parameters
            return web.json_response(answer, status=refused.status)
        return web.json_response({"ok": True, "result": result})

    def _fault(self, method: str, params: Params) -> Fault:
        """Return the next fault of a method for this chat, or for any chat; it happens once."""
        for fault in self.faults[method]:
            if fault.chat is None or fault.chat == int(params["chat_id"]):
                self.faults[method].remove(fault)
                return fault
        return Fault()

    def _admit(self, token: str, method: str) -> None:
        if token != TOKEN:
            raise RefusedError(401, "Unauthorized")
        if method not in self._methods:
            raise RefusedError(404, "Not Found")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if self.expired > 0:
            self.expired -= 1
            raise web.HTTPNotFound
        return web.Response(body=self.files[request.match_info["path"]])

    # Methods

    async def _getme(self, _params: Params) -> Params:
        return BOT | {"can_join_groups": True}

    async def _getupdates(self, params: Params) -> list[Params]:
        if self.webhook:
            raise RefusedError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        self._polls += 1
        mine, offset = self._polls, int(params.get("offset", 0))
        self._news.set()  # an earlier poll ends, as only one may run
        while self.updates and self.updates[0]["update_id"] < offset and not self.forgetful:
            self.updates.popleft()
            self.confirmed += 1
        deadline = time.monotonic() + (0.0 if self.impatient else float(params.get("timeout", 0)))
        while not self.updates and time.monotonic() < deadline and self._polls == mine:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                break
        if self._polls != mine:
            raise RefusedError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        allowed = params.get("allowed_updates") or ["message"]
        wanted = [update for update in self.updates if set(update) & set(allowed)]
        return wanted[: int(params.get("limit", 100))]

    async def _setwebhook(self, params: Params) -> bool:
        if not str(params["url"]).startswith(("https://", "http://127.0.0.1")):
            raise RefusedError(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = params
        return True

    async def _deletewebhook(self, _params: Params) -> bool:
        self.webhook = {}
        return True

    async def _setmycommands(self, params: Params) -> bool:
        self.commands[params.get("language_code", "")] = [command["command"] for command in params["commands"]]
        return True

    async def _getfile(self, params: Params) -> Params:
        file = self.files.get(params["file_id"])
        if file is None:
            raise RefusedError(400, "Bad Request: invalid file_id")
        if len(file) > MOST_DOWNLOADED:
            raise RefusedError(400, "Bad Request: file is too big")
        name = params["file_id"]
        return {"file_id": name, "file_unique_id": name, "file_size": len(file), "file_path": name}

    async def _getchat(self, params: Params) -> Params:
        chat = int(params["chat_id"])
        kind = {"id": chat, "type": "private" if chat > 0 else "supergroup", "accent_color_id": 0}
        kind |= {"title": self.titles[chat]} if chat in self.titles else {}
        return kind | {"max_reaction_count": 1, "has_restricted_voice_and_video_messages": chat in self.without_voice}

    async def _sendmessage(self, params: Params) -> Params:
        return self._post(params, params.get("text", ""))

    async def _sendmessagedraft(self, params: Params) -> bool:
        if self._chat(params) < 0:
            raise RefusedError(400, "Bad Request: method is available for private chats only")
        if not int(params["draft_id"]):
            raise RefusedError(400, "Bad Request: draft_id must be non-zero")
        self._topic(params)
        self._marked(params, params.get("text") or "…")
        return True

    async def _editmessagetext(self, params: Params) -> Params:
        post = self.posts.get((self._chat(params), int(params["message_id"])))
        if post is None or not post.by_bot:
            raise RefusedError(400, "Bad Request: message to edit not found")
        text, entities = self._marked(params, params["text"])
        if (text, entities) == (post.text, post.entities):
            raise RefusedError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup "
                "are exactly the same as a current content and reply markup of the message",
            )
        post.text, post.entities, post.edits = text, entities, post.edits + 1
        return self._shown(post)

    async def _deletemessage(self, params: Params) -> bool:
        if self.posts.pop((self._chat(params), int(params["message_id"])), None) is None:
            raise RefusedError(400, "Bad Request: message to delete not found")
        return True

    async def _deletemessages(self, params: Params) -> bool:
        for message in params["message_ids"]:  # those that are not there are skipped
            self.posts.pop((self._chat(params), message), None)
        return True

    async def _forwardmessage(self, params: Params) -> Params:
        post = self.posts.get((int(params["from_chat_id"]), int(params["message_id"])))
        if post is None:
            raise RefusedError(400, "Bad Request: message to forward not found")
        return self._post(params, post.text, media=post.media)

    async def _sendvoice(self, params: Params) -> Params:
        if self._chat(params) in self.without_voice:
            raise RefusedError(400, "Bad Request: VOICE_MESSAGES_FORBIDDEN")
        if not params["voice"].startswith(b"OggS") or len(params["voice"]) > MOST_IN_A_NOTE:
            raise RefusedError(400, "Bad Request: this would be shown as a file, not as a voice note")
        return self._post(params, params.get("caption", ""), media=params["voice"])

    async def _senddocument(self, params: Params) -> Params:
        return self._post(params, params.get("caption", ""), media=params["document"])

    async def _sendaudio(self, params: Params) -> Params:
        return self._post(params, media=params["audio"])

    async def _sendchataction(self, params: Params) -> bool:
        self._topic(params)
        return bool(self._chat(params))

    async def _setmessagereaction(self, params: Params) -> bool:
        return bool(self._chat(params))

    # Chats

    def _chat(self, params: Params) -> int:
        chat = int(params["chat_id"])
        if chat in self.blocked_by:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if chat in self.migrated:
            moved = self.migrated[chat]
            raise RefusedError(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=moved
            )
        return chat

    def _topic(self, params: Params, replied: Post | None = None) -> None:
        """Refuse what would go to a topic that is not open; a reply goes where the message is that it replies to."""
        thread = int(params.get("message_thread_id", 0)) or (replied.thread if replied else None)
        if thread and (reason := self.lost_topics.get((self._chat(params), thread))):
            raise RefusedError(400, f"Bad Request: {reason}")

    def _marked(
        self, params: Params, text: str, name: str = "entities", most: int = MOST_CHARACTERS
    ) -> tuple[str, list[Params]]:
        if self.plain_only and params.get(name):
            raise RefusedError(400, "Bad Request: can't parse entities: they are not understood here")
        return marked(text, params.get(name, []), most)

    def _post(self, params: Params, text: str = "", *, media: bytes = b"") -> Params:
        chat, entities = self._chat(params), list[Params]()
        replied: Params = params.get("reply_parameters") or {}
        if replied and replied["message_id"] <= 0:
            raise RefusedError(400, "Bad Request: invalid message identifier specified")
        known = not replied or (chat, replied["message_id"]) in self.posts
        if not (known or replied.get("allow_sending_without_reply")):
            raise RefusedError(400, "Bad Request: message to be replied not found")
        self._topic(params, self.posts.get((chat, replied.get("message_id", 0))))
        if not media:
            text, entities = self._marked(params, text)
        elif text:
            text, entities = self._marked(params, text, "caption_entities", MOST_IN_CAPTIONS)
        post = Post(chat, self._message_id(), True, text, media, params, time.monotonic(), 0, entities)
        return self._shown(self.posts.setdefault((chat, post.message_id), post))

    def _shown(self, post: Post) -> Params:
        chat = {"id": post.chat, "type": "private" if post.chat > 0 else "supergroup"}
        shown: Params = {"message_id": post.message_id, "date": int(time.time()), "chat": chat, "from": BOT}
        if not post.media:
            return shown | {"text": post.text, "entities": [*post.entities, *mentions(post.text)]}
        if post.text:
            shown |= {"caption": post.text, "caption_entities": [*post.entities, *mentions(post.text)]}
        file_id = f"sent-{post.message_id}"
        self.files[file_id] = post.media
        voice = {"file_id": file_id, "file_unique_id": file_id, "duration": 1, "file_size": len(post.media)}
        return shown | {"voice": voice}

    def _message_id(self) -> int:
        return next(_MESSAGE_IDS)
