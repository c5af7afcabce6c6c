"""What people can tell june to do, written once for every platform: a word and an argument in, a sentence out."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from bots.texts.catalogue import say
from workflows.access.contracts import AccessChange, AccessState, AccessView, Permission, Usage
from workflows.names import ACCESS, CONVERSATION, access_id, conversation_id
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
"""With a worker that has to answer; people who wait longer are told to try again."""
HISTORY_TURNS = 5
HISTORY_CHARS = 300
"""Of each side of a turn."""
_COMMAND = re.compile(r"/(?P<name>[a-z]{2,32})(?:@\w+)?(?:\s+(?P<argument>.*))?", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9._:@+-]{1,120}")

T = TypeVar("T")


def parse(text: str) -> tuple[str, str] | None:
    """Read a command: its name without the slash, and what follows; None for any other text."""
    match = _COMMAND.fullmatch(text.strip())
    return (match["name"], (match["argument"] or "").strip()) if match else None


def known(command: str) -> bool:
    """Tell whether june has a command."""
    return ALIASES.get(command, command) in FOR_ALL + FOR_OWNERS


@dataclass(frozen=True)
class Caller:
    """Who gave a command, and where."""

    platform: str
    chat: str
    thread: str | None
    group: str | None
    """What the allow-list calls this group; None in private."""
    about: str | None
    """User whose message the command replies to."""
    language: str | None
    owner: bool
    place: str | None = None
    """What the allow-list calls the narrowest part of the group (a channel of a server); None in private."""


class Commands:
    """Obeys commands, and words what came of it in the caller's language."""

    def __init__(self, client: Client, voices: Sequence[str], retention_hours: float) -> None:
        """Take what the answers are made of.

        Args:
            client: the way to Temporal.
            voices: names that ``/voice`` takes.
            retention_hours: how long audio is kept, for ``/privacy``.

        """
        self._client = client
        self._voices = tuple(voices)
        self._retention_hours = retention_hours
        self._by_name: Mapping[str, Callable[[Caller, str], Awaitable[Notice | str]]] = {
            name: getattr(self, f"_{name}") for name in (*FOR_ALL, *FOR_OWNERS)
        }

    async def run(self, caller: Caller, name: str, argument: str) -> str:
        """Obey; whatever happens, there is a sentence to say."""
        name = ALIASES.get(name, name)
        if name in FOR_OWNERS and not caller.owner:
            return say(Notice(key="owners-only"), caller.language)
        command = self._by_name.get(name)
        if command is None:
            return say(Notice(key="unknown-command"), caller.language)
        try:
            outcome = await command(caller, argument)
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowQueryFailedError):
            outcome = Notice(key="not-just-now")
        except WorkflowUpdateFailedError:
            outcome = Notice(key="internal")
        return outcome if isinstance(outcome, str) else say(outcome, caller.language)

    # For everybody

    async def _start(self, _caller: Caller, _argument: str) -> Notice:
        return Notice(key="start")

    async def _help(self, caller: Caller, _argument: str) -> str:
        return "\n".join([say(Notice(key="help"), caller.language), *described(caller.language, owner=caller.owner)])

    async def _new(self, caller: Caller, _argument: str) -> Notice:
        await self._tell(caller, "reset")
        return Notice(key="new")

    async def _voice(self, caller: Caller, argument: str) -> Notice:
        asked = argument.lower()  # telephones begin a line with a capital
        if asked in set(ReplyMode):
            await self._configure(caller, SettingsChange(reply_mode=ReplyMode(asked)))
            return Notice(key=f"voice-{asked}")
        if asked in set(Layout):
            await self._configure(caller, SettingsChange(layout=Layout(asked)))
            return Notice(key=f"voice-{asked}")
        if not asked:
            settings = await self._settings(caller)
            chosen = {"mode": settings.reply_mode, "layout": settings.layout}
            said = {name: say(Notice(key=f"voice-{value}"), caller.language) for name, value in chosen.items()}
            return Notice(key="voice", params={"voices": ", ".join(self._voices), **said})
        voice = next((voice for voice in self._voices if asked in voice.lower()), None)
        if voice is None:
            return Notice(key="voice-unknown", params={"voices": ", ".join(self._voices)})
        await self._configure(caller, SettingsChange(voice=voice))
        return Notice(key="voice-chosen", params={"voice": voice})

    async def _language(self, caller: Caller, argument: str) -> Notice:
        code = argument.lower()
        if not code:
            chosen = (await self._settings(caller)).language
            return Notice(key="language", params={"chosen": chosen or "auto", "codes": ", ".join(LANGUAGES)})
        if code != "auto" and code not in LANGUAGES:
            return Notice(key="language-unknown", params={"codes": ", ".join(LANGUAGES)})
        await self._configure(caller, SettingsChange(language="" if code == "auto" else code))
        return Notice(key="language-auto" if code == "auto" else "language-chosen", params={"chosen": code})

    async def _status(self, caller: Caller, _argument: str) -> Notice:
        settings = await self._settings(caller)
        queue = await self._ask(caller, "queue", list[QueuedMessage], [])
        replies = {"mode": settings.reply_mode.value, "layout": settings.layout.value}
        chosen = {"voice": settings.voice or "auto", "chosen": settings.language or "auto"}
        return Notice(key="status", params={"queue": len(queue), **replies, **chosen})

    async def _cancel(self, caller: Caller, _argument: str) -> Notice:
        cancelled: int = await self._tell(caller, "cancel", result=int)
        return Notice(key="cancelled-turns" if cancelled else "nothing-to-cancel", params={"turns": cancelled})

    async def _history(self, caller: Caller, _argument: str) -> Notice | str:
        memory = await self._ask(caller, "history", Memory, Memory())
        lines = [f"… {memory.summary}"] if memory.summary else []
        for exchange in memory.window[-HISTORY_TURNS:]:
            lines += [f"🗣 {exchange.user[:HISTORY_CHARS]}", f"🤖 {exchange.assistant[:HISTORY_CHARS]}"]
        return "\n".join(lines) or Notice(key="history-empty")

    async def _forget(self, caller: Caller, _argument: str) -> Notice:
        await self._tell(caller, "forget")
        return Notice(key="forgotten")

    async def _privacy(self, _caller: Caller, _argument: str) -> Notice:
        return Notice(key="privacy", params={"days": f"{self._retention_hours / 24:.3g}"})

    # For owners

    async def _allow(self, caller: Caller, argument: str) -> Notice:
        """``/allow ID``, as a reply, or in a group for the group; ``/allow open`` there answers every message."""
        if argument == "open" and caller.place:
            return await self._stand(caller, caller.place, Permission.OPEN)
        return await self._stand(caller, argument or caller.about or caller.group, Permission.ALLOWED)

    async def _deny(self, caller: Caller, argument: str) -> Notice:
        return await self._stand(caller, argument or caller.about or caller.group, Permission.DENIED)

    async def _block(self, caller: Caller, argument: str) -> Notice:
        return await self._stand(caller, argument or caller.about, Permission.BLOCKED)

    async def _unblock(self, caller: Caller, argument: str) -> Notice:
        return await self._stand(caller, argument or caller.about, None)

    async def _stand(self, caller: Caller, who: str | None, standing: Permission | None) -> Notice:
        if not who or not _ID.fullmatch(who):
            return Notice(key="whom")
        await self._change_access(caller, AccessChange(id=who, standing=standing))
        return Notice(key=f"standing-{standing}" if standing else "standing-unblocked", params={"user": who})

    async def _drain(self, caller: Caller, argument: str) -> Notice:
        draining = argument != "off"
        await self._change_access(caller, AccessChange(draining=draining))
        return Notice(key="drained" if draining else "drained-off")

    async def _stats(self, caller: Caller, _argument: str) -> Notice | str:
        usage: dict[str, Usage] = await self._or_none(
            self._client.get_workflow_handle(access_id(caller.platform)).query(
                "usage", result_type=dict[str, Usage], rpc_timeout=TIMEOUT
            ),
            {},
        )
        platform = f"WorkflowType = 'VoiceMessage' AND Platform = '{caller.platform}'"
        running = await self._client.count_workflows(f"{platform} AND ExecutionStatus = 'Running'")
        total = say(
            Notice(
                key="stats",
                params={
                    "people": len(usage),
                    "messages": sum(used.messages for used in usage.values()),
                    "minutes": round(sum(used.voice_seconds for used in usage.values()) / 60),
                    "running": running.count,
                },
            ),
            caller.language,
        )
        most = sorted(usage.items(), key=lambda item: -item[1].messages)[:10]
        return "\n".join([total, *(f"{user}: {used.messages} ✉, {used.voice_seconds:.0f} s 🎤" for user, used in most)])

    # The way to the workflows

    async def _tell(self, caller: Caller, update: str, *args: object, result: type[Any] | None = None) -> Any:  # noqa: ANN401
        """Have the chat's conversation do something, and wait for what it says."""
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            CONVERSATION,
            ConversationState(platform=caller.platform, chat=caller.chat, thread=caller.thread),
            **intake.start_options(caller.platform, caller.chat, caller.thread),
        )
        return await self._update(update, *args, start=start, result=result)

    async def _update(
        self, update: str, *args: object, start: WithStartWorkflowOperation[Any, Any], result: type[Any] | None
    ) -> Any:  # noqa: ANN401 - what the workflow says
        try:
            return await self._client.execute_update_with_start_workflow(
                update, args=args, start_workflow_operation=start, result_type=result, rpc_timeout=TIMEOUT
            )
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
            with suppress(RPCError):  # the start has failed with the update; unasked, asyncio would log that as lost
                await start.workflow_handle()
            raise

    async def _configure(self, caller: Caller, change: SettingsChange) -> None:
        await self._tell(caller, "configure", change)

    async def _settings(self, caller: Caller) -> ChatSettings:
        return await self._ask(caller, "settings", ChatSettings, ChatSettings())

    async def _ask(self, caller: Caller, query: str, kind: type[T], default: T) -> T:
        """Ask the chat's conversation; where there is none yet, it is as at the beginning."""
        conversation = self._client.get_workflow_handle(conversation_id(caller.platform, caller.chat, caller.thread))
        return await self._or_none(conversation.query(query, result_type=kind, rpc_timeout=TIMEOUT), default)

    async def _or_none(self, asked: Awaitable[T], default: T) -> T:
        try:
            return await asked
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return default

    async def _change_access(self, caller: Caller, change: AccessChange) -> None:
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            ACCESS, AccessState(platform=caller.platform), **access.start_options(caller.platform)
        )
        await self._update("change", change, start=start, result=AccessView)


def described(language: str | None, *, owner: bool) -> list[str]:
    """List the commands with what they do, a line each: ``/new — …``."""
    names = FOR_ALL + (FOR_OWNERS if owner else ())
    return [f"/{name} — {description(name, language)}" for name in names]


def description(command: str, language: str | None) -> str:
    """Say in a few words what a command does; for a platform's own menu of commands."""
    return say(Notice(key=f"command-{command}"), language)
