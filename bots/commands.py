"""What people can tell june to do, written once for every platform: a word and an argument in, a sentence out."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Notice
from bots import access, intake
from bots.access import Role
from bots.intake import InboundMessage
from bots.texts.catalogue import say
from workflows.access.contracts import AccessChange, AccessState, AccessView, Permission, Usage
from workflows.names import ACCESS, CONVERSATION, VOICE_MESSAGE, access_id, conversation_id
from workflows.voice.contracts import (
    ChatSettings,
    ConversationState,
    Layout,
    Memory,
    QueuedMessage,
    ReplyMode,
    SettingsChange,
)

FOR_ALL = ("start", "help", "new", "voice", "language", "status", "cancel", "history", "forget", "privacy")
FOR_OWNERS = ("allow", "deny", "block", "unblock", "drain", "stats")
ALIASES = {"reset": "new"}
LANGUAGES = (
    *("en", "de", "es", "fr", "it", "pt", "nl", "pl", "ru", "uk", "cs", "sv", "da", "no", "fi", "tr", "ar", "hi"),
    *("ja", "ko", "zh"),
)
"""ISO 639-1 codes that ``/language`` takes: those that Whisper's smaller models transcribe usably."""
TIMEOUT = timedelta(seconds=10)
"""With a worker that has to answer; people who would wait longer are asked to try again."""
HISTORY_TURNS = 5
HISTORY_CHARS = 300
"""Of each side of a turn."""
_COMMAND = re.compile(r"/(?P<name>[a-z]{2,32})(?:@\w+)?(?:\s+(?P<argument>.*))?", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9._:@+-]{1,120}")

T = TypeVar("T")
Command = Callable[[InboundMessage, str], Awaitable[Notice | str]]
"""Gets the message and what follows the command in it; returns what to say."""


def parse(text: str) -> tuple[str, str] | None:
    """Parse a command: its name without the slash, and what follows; None for any other text."""
    match = _COMMAND.fullmatch(text.strip())
    return (match["name"], (match["argument"] or "").strip()) if match else None


def known(command: str) -> bool:
    """Check whether june has a command."""
    return ALIASES.get(command, command) in FOR_ALL + FOR_OWNERS


class Commands:
    """Runs commands, and words what came of it in the sender's language."""

    def __init__(self, client: Client, voices: Sequence[str], retention_hours: float) -> None:
        """Configure the commands.

        Args:
            client: connection to Temporal.
            voices: names that ``/voice`` takes.
            retention_hours: how long audio is kept, for ``/privacy``.

        """
        chat, self.owners = ChatCommands(client, voices, retention_hours), OwnerCommands(client)
        self._by_name: Mapping[str, Command] = {
            **{name: getattr(chat, name) for name in FOR_ALL if name != "help"},
            **{name: getattr(self.owners, name) for name in FOR_OWNERS},
        }

    async def run(self, inbound: InboundMessage, role: Role, name: str, argument: str) -> str:
        """Run a command that was given in a message; whatever happens, there is a sentence to say."""
        name, owner = ALIASES.get(name, name), role is Role.OWNER
        command = self._by_name.get(name)
        outcome: Notice | str
        try:
            if name == "help":
                greeting = say(Notice(key="help"), inbound.language)
                outcome = "\n".join([greeting, *described(inbound.language, owner=owner)])
            elif name in FOR_OWNERS and not owner:
                outcome = Notice(key="owners-only")
            else:
                outcome = await command(inbound, argument) if command else Notice(key="unknown-command")
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowQueryFailedError):
            outcome = Notice(key="not-just-now")
        except WorkflowUpdateFailedError:
            outcome = Notice(key="internal")
        return outcome if isinstance(outcome, str) else say(outcome, inbound.language)


class ChatCommands:
    """Commands for everybody, about the chat in which they are given."""

    def __init__(self, client: Client, voices: Sequence[str], retention_hours: float) -> None:
        self._client = client
        self._voices = tuple(voices)
        self._retention_hours = retention_hours

    async def start(self, _inbound: InboundMessage, _argument: str) -> Notice:
        return Notice(key="start")

    async def new(self, inbound: InboundMessage, _argument: str) -> Notice:
        await self._update(inbound, "reset")
        return Notice(key="new")

    async def voice(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/voice`` alone shows what is chosen; a reply mode, a layout or a part of a voice's name chooses it."""
        asked = argument.lower()  # telephones begin a line with a capital
        if asked in set(ReplyMode):
            await self._update(inbound, "configure", SettingsChange(reply_mode=ReplyMode(asked)))
            return Notice(key=f"voice-{asked}")
        if asked in set(Layout):
            await self._update(inbound, "configure", SettingsChange(layout=Layout(asked)))
            return Notice(key=f"voice-{asked}")
        if not asked:
            settings = await self._query(inbound, "settings", ChatSettings, ChatSettings())
            chosen = {"mode": settings.reply_mode, "layout": settings.layout}
            said = {name: say(Notice(key=f"voice-{value}"), inbound.language) for name, value in chosen.items()}
            return Notice(key="voice", params={"voices": ", ".join(self._voices), **said})
        voice = next((voice for voice in self._voices if asked in voice.lower()), None)
        if voice is None:
            return Notice(key="voice-unknown", params={"voices": ", ".join(self._voices)})
        await self._update(inbound, "configure", SettingsChange(voice=voice))
        return Notice(key="voice-chosen", params={"voice": voice})

    async def language(self, inbound: InboundMessage, argument: str) -> Notice:
        code = argument.lower()
        if not code:
            chosen = (await self._query(inbound, "settings", ChatSettings, ChatSettings())).language
            return Notice(key="language", params={"chosen": chosen or "auto", "codes": ", ".join(LANGUAGES)})
        if code != "auto" and code not in LANGUAGES:
            return Notice(key="language-unknown", params={"codes": ", ".join(LANGUAGES)})
        await self._update(inbound, "configure", SettingsChange(language="" if code == "auto" else code))
        return Notice(key="language-auto" if code == "auto" else "language-chosen", params={"chosen": code})

    async def status(self, inbound: InboundMessage, _argument: str) -> Notice:
        settings = await self._query(inbound, "settings", ChatSettings, ChatSettings())
        queue = await self._query(inbound, "queue", list[QueuedMessage], [])
        replies = {"mode": settings.reply_mode.value, "layout": settings.layout.value}
        chosen = {"voice": settings.voice or "auto", "chosen": settings.language or "auto"}
        return Notice(key="status", params={"queue": len(queue), **replies, **chosen})

    async def cancel(self, inbound: InboundMessage, _argument: str) -> Notice:
        cancelled: int = await self._update(inbound, "cancel", result=int)
        return Notice(key="cancelled-turns" if cancelled else "nothing-to-cancel", params={"turns": cancelled})

    async def history(self, inbound: InboundMessage, _argument: str) -> Notice | str:
        memory = await self._query(inbound, "history", Memory, Memory())
        lines = [f"… {memory.summary}"] if memory.summary else []
        for exchange in memory.window[-HISTORY_TURNS:]:
            lines += [f"🗣 {exchange.user[:HISTORY_CHARS]}", f"🤖 {exchange.assistant[:HISTORY_CHARS]}"]
        return "\n".join(lines) or Notice(key="history-empty")

    async def forget(self, inbound: InboundMessage, _argument: str) -> Notice:
        await self._update(inbound, "forget")
        return Notice(key="forgotten")

    async def privacy(self, _inbound: InboundMessage, _argument: str) -> Notice:
        return Notice(key="privacy", params={"days": f"{self._retention_hours / 24:.3g}"})

    async def _update(
        self, inbound: InboundMessage, update: str, *args: object, result: type[Any] | None = None
    ) -> Any:  # noqa: ANN401 - what the workflow returns
        """Have the chat's conversation do something, which is started when there is none."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            CONVERSATION,
            ConversationState(platform=inbound.platform, chat=inbound.chat, thread=inbound.thread),
            **intake.start_options(inbound.platform, inbound.chat, inbound.thread),
        )
        return await update_with_start(self._client, update, args, start, result)

    async def _query(self, inbound: InboundMessage, query: str, kind: type[T], default: T) -> T:
        """Query the chat's conversation; where there is none yet, it is as at the beginning."""
        conversation = conversation_id(inbound.platform, inbound.chat, inbound.thread)
        return await query_or(self._client, conversation, query, kind, default)


class OwnerCommands:
    """Commands for owners: who may talk to june, whether messages are taken, and how many were."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def allow(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/allow ID``, as a reply, or in a group for the group; ``/allow open`` there answers every message."""
        place = next(iter(inbound.places), inbound.group)
        if argument == "open" and place:
            return await self._permit(inbound, place, Permission.OPEN)
        return await self._permit(inbound, argument or inbound.about or inbound.group, Permission.ALLOWED)

    async def deny(self, inbound: InboundMessage, argument: str) -> Notice:
        return await self._permit(inbound, argument or inbound.about or inbound.group, Permission.DENIED)

    async def block(self, inbound: InboundMessage, argument: str) -> Notice:
        return await self._permit(inbound, argument or inbound.about, Permission.BLOCKED)

    async def unblock(self, inbound: InboundMessage, argument: str) -> Notice:
        return await self._permit(inbound, argument or inbound.about, None)

    async def _permit(self, inbound: InboundMessage, who: str | None, permission: Permission | None) -> Notice:
        if not who or not _ID.fullmatch(who):
            return Notice(key="whom")
        await self.change_access(inbound.platform, AccessChange(id=who, standing=permission))
        return Notice(key=f"standing-{permission}" if permission else "standing-unblocked", params={"user": who})

    async def drain(self, inbound: InboundMessage, argument: str) -> Notice:
        draining = argument != "off"
        await self.change_access(inbound.platform, AccessChange(draining=draining))
        return Notice(key="drained" if draining else "drained-off")

    async def stats(self, inbound: InboundMessage, _argument: str) -> str:
        usage: dict[str, Usage] = {}
        usage = await query_or(self._client, access_id(inbound.platform), "usage", dict[str, Usage], usage)
        platform = f"WorkflowType = '{VOICE_MESSAGE}' AND Platform = '{inbound.platform}'"
        running = await self._client.count_workflows(f"{platform} AND ExecutionStatus = 'Running'")
        figures: dict[str, float | int | str] = {
            "people": len(usage),
            "messages": sum(used.messages for used in usage.values()),
            "minutes": round(sum(used.voice_seconds for used in usage.values()) / 60),
            "running": running.count,
        }
        most = sorted(usage.items(), key=lambda item: -item[1].messages)[:10]
        lines = [f"{user}: {used.messages} ✉, {used.voice_seconds:.0f} s 🎤" for user, used in most]
        return "\n".join([say(Notice(key="stats", params=figures), inbound.language), *lines])

    async def change_access(self, platform: str, change: AccessChange) -> None:
        """Have a platform's Access keep what an owner said; it holds when this returns.

        Raises:
            temporalio.service.RPCError: the server did not take it.

        """
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            ACCESS, AccessState(platform=platform), **access.start_options(platform)
        )
        await update_with_start(self._client, "change", [change], start, AccessView)


async def update_with_start(
    client: Client,
    update: str,
    args: Sequence[object],
    start: WithStartWorkflowOperation[Any, Any],
    result: type[Any] | None,
) -> Any:  # noqa: ANN401 - what the workflow returns
    """Update a workflow, which is started when there is none, and return what it returns, at most ``TIMEOUT`` later."""
    try:
        return await client.execute_update_with_start_workflow(
            update, args=args, start_workflow_operation=start, result_type=result, rpc_timeout=TIMEOUT
        )
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
        with suppress(RPCError):  # the start has failed with the update; unasked, asyncio would log that as lost
            await start.workflow_handle()
        raise


async def query_or(
    client: Client, workflow_id: str, query: str, kind: type[T], default: T, rpc_timeout: timedelta = TIMEOUT
) -> T:
    """Query a workflow; return the default where there is none."""
    workflow = client.get_workflow_handle(workflow_id)
    try:
        answer: T = await workflow.query(query, result_type=kind, rpc_timeout=rpc_timeout)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return default
    return answer


def described(language: str | None, *, owner: bool) -> list[str]:
    """List the commands with what they do, a line each: ``/new — …``."""
    names = FOR_ALL + (FOR_OWNERS if owner else ())
    return [f"/{name} — {description(name, language)}" for name in names]


def description(command: str, language: str | None) -> str:
    """Return a few words on what a command does; for a platform's own menu of commands."""
    return say(Notice(key=f"command-{command}"), language)
