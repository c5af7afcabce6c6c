"""What people can tell june to do, written once for every platform: a word and an argument in, a sentence out."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar
from zoneinfo import available_timezones

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.values import Notice
from bots import intake, workflow_calls
from bots.access import Role
from bots.coding import CodingCommand, CodingRules
from bots.intake import InboundMessage
from bots.owners import OwnerCommands
from bots.texts.catalogue import say, spoken_language
from bots.texts.figures import city, find_language, language_name, plain, voice_names
from bots.workflow_calls import query_or, update_with_start
from workflows.names import CONVERSATION, chat_key, conversation_id
from workflows.voice.contracts import (
    Again,
    ChatSettings,
    ConversationState,
    Layout,
    Memory,
    QueuedMessage,
    ReplyMode,
    SettingsChange,
)

FOR_ALL = (
    *("start", "help", "new", "voice", "language", "timezone"),
    *("status", "cancel", "again", "history", "forget", "privacy"),
)
CODE = "code"
FOR_OWNERS = ("allow", "deny", "block", "unblock", "drain", "stats", CODE)
"""``/code`` is for all where the settings say so."""
ALIASES = {"reset": "new"}
EVERYTHING = frozenset({"all", "everything", "alles", "alle", "todo", "todos", "tout", "tous"})
"""What ``/forget`` takes for the whole chat, in the languages of june's sentences."""
LANGUAGES = (
    *("en", "de", "es", "fr", "it", "pt", "nl", "pl", "ru", "uk", "cs", "sv", "da", "no", "fi", "tr", "ar", "hi"),
    *("ja", "ko", "zh"),
)
"""ISO 639-1 codes that ``/language`` takes: those that Whisper's smaller models transcribe usably."""
HISTORY_TURNS = 5
HISTORY_CHARS = 300
"""Of each side of a turn."""
_COMMAND = re.compile(r"/(?P<name>[a-z]{2,32})(?:@\w+)?(?:\s+(?P<argument>.*))?", re.DOTALL)

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

    def __init__(
        self,
        client: Client,
        voices: Sequence[str],
        retention_hours: float,
        *,
        shows_outcomes_alone: bool = False,
        coding: CodingRules | None = None,
    ) -> None:
        """Configure the commands.

        Args:
            client: connection to Temporal.
            voices: names that ``/voice`` takes.
            retention_hours: how long audio is kept, for ``/privacy``.
            shows_outcomes_alone: what is sent besides a command's outcome is not shown, as on the page.
            coding: who may give ``/code``; owners by default.

        """
        self._coding_for_all = coding is not None and coding.for_all
        code = CodingCommand(client, coding or CodingRules())
        chat = ChatCommands(client, voices, retention_hours, code, shows_outcomes_alone=shows_outcomes_alone)
        self.owners = OwnerCommands(client)
        self._by_name: Mapping[str, Command] = {
            **{name: getattr(chat, name) for name in FOR_ALL if name != "help"},
            **{name: getattr(self.owners, name) for name in FOR_OWNERS if name != CODE},
            CODE: code.run,
        }

    def may(self, role: Role, name: str) -> bool:
        """Check whether somebody who may talk may give a command; whoever may not is told so by ``run``."""
        return name not in FOR_OWNERS or role is Role.OWNER or (name == CODE and self._coding_for_all)

    async def run(self, inbound: InboundMessage, role: Role, name: str, argument: str) -> str:
        """Run a command that was given in a message; whatever happens, there is a sentence to say."""
        name = ALIASES.get(name, name)
        command = self._by_name.get(name)
        outcome: Notice | str
        try:
            if name == "help":
                greeting = say(Notice(key="help"), inbound.language)
                names = [name for name in FOR_ALL + FOR_OWNERS if self.may(role, name)]
                outcome = "\n".join([greeting, *described(names, inbound.language)])
            elif not self.may(role, name):
                outcome = Notice(key="owners-only")
            else:
                outcome = await command(inbound, argument) if command else Notice(key="unknown-command")
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, WorkflowQueryFailedError):
            outcome = Notice(key="not-just-now")
        except WorkflowUpdateFailedError:
            outcome = Notice(key="internal")
        return outcome if isinstance(outcome, str) else say(outcome, inbound.language)


def find_time_zone(text: str, language: str = "en") -> str | None:
    """Find a time zone's IANA name by what people write: the name, or its city (``new york``, ``Londres``)."""
    asked = re.sub(r"[\s_]+", "_", plain(text))
    names = {plain(name): name for name in _time_zones()}
    # Some cities are there twice, under an older and a newer name of the same zone: the short one is as good.
    cities = sorted((name for name in names if name.endswith(f"/{asked}")), key=len)
    return names.get(asked) or next((names[name] for name in cities), None) or _cities(language).get(asked)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def _cities(language: str) -> Mapping[str, str]:
    """Name time zones by their cities, as a language calls them."""
    zones = sorted(zone for zone in _time_zones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/")))
    return {re.sub(r"[\s_]+", "_", plain(city(zone, language))): zone for zone in zones}


class ChatCommands:
    """Commands for everybody, about the chat in which they are given."""

    def __init__(
        self,
        client: Client,
        voices: Sequence[str],
        retention_hours: float,
        code: CodingCommand,
        *,
        shows_outcomes_alone: bool,
    ) -> None:
        self._client = client
        self._code = code
        self._shows_outcomes_alone = shows_outcomes_alone
        self._voices = tuple(voices)
        self._retention_hours = retention_hours

    async def start(self, _inbound: InboundMessage, _argument: str) -> Notice:
        return Notice(key="start")

    async def new(self, inbound: InboundMessage, _argument: str) -> Notice:
        await self._update(inbound, "reset")
        return Notice(key="new")

    async def voice(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/voice`` alone shows what is chosen; a reply mode, a layout or a voice's name (part of it) chooses it.

        ``auto`` chooses the voice by the answer's language.
        """
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
            return Notice(key="voice", params={"voices": self._voices_in(inbound.language), **said})
        if asked.startswith("auto"):
            await self._update(inbound, "configure", SettingsChange(voice=""))
            return Notice(key="status-voice-auto")
        names = voice_names(self._voices, spoken_language(inbound.language))
        voice = next((voice for voice in self._voices if asked in f"{voice} {names[voice]}".lower()), None)
        if voice is None:
            return Notice(key="voice-unknown", params={"voices": self._voices_in(inbound.language)})
        await self._update(inbound, "configure", SettingsChange(voice=voice))
        return Notice(key="voice-chosen", params={"voice": voice})

    async def language(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/language`` alone shows what is chosen; a language's name or code chooses it; ``auto`` detects it."""
        spoken = spoken_language(inbound.language)
        known = ", ".join(language_name(code, spoken) for code in LANGUAGES)
        if not argument:
            settings = await self._query(inbound, "settings", ChatSettings, ChatSettings())
            return Notice(key="language", params={"now": _language_now(settings, inbound.language), "languages": known})
        if argument.lower().startswith("auto"):
            await self._update(inbound, "configure", SettingsChange(language=""))
            return Notice(key="language-auto")
        code = find_language(argument, LANGUAGES, spoken, "en")
        if code is None:
            return Notice(key="language-unknown", params={"languages": known})
        await self._update(inbound, "configure", SettingsChange(language=code))
        return Notice(key="language-chosen", params={"chosen": code})

    async def timezone(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/timezone`` alone shows what is chosen; a name, or a city's in it, chooses one; ``auto`` is june's own."""
        if not argument:
            settings = await self._query(inbound, "settings", ChatSettings, ChatSettings())
            return Notice(key="timezone", params={"now": _zone_now(settings, inbound.language)})
        if argument.lower().startswith("auto"):
            await self._update(inbound, "configure", SettingsChange(time_zone=""))
            return Notice(key="timezone-auto")
        zone = await asyncio.to_thread(find_time_zone, argument, spoken_language(inbound.language))
        if zone is None:
            return Notice(key="timezone-unknown")
        await self._update(inbound, "configure", SettingsChange(time_zone=zone))
        return Notice(key="timezone-chosen", params={"chosen": zone})

    async def status(self, inbound: InboundMessage, _argument: str) -> str:
        settings = await self._query(inbound, "settings", ChatSettings, ChatSettings())
        queue = await self._query(inbound, "queue", list[QueuedMessage], [])
        language = inbound.language
        chosen = {
            "mode": say(Notice(key=f"voice-{settings.reply_mode}"), language),
            "layout": say(Notice(key=f"voice-{settings.layout}"), language),
            "voice": _voice_now(settings, language),
            "listens": _language_now(settings, language),
            "zone": _zone_now(settings, language),
        }
        told = [Notice(key="status", params={"queue": len(queue), **chosen}), await self._code.status(inbound)]
        return "\n".join(say(notice, language) for notice in told if notice)

    async def cancel(self, inbound: InboundMessage, _argument: str) -> Notice:
        cancelled: int = await self._update(inbound, "cancel", result=int)
        return Notice(key="cancelled-turns" if cancelled else "nothing-to-cancel", params={"turns": cancelled})

    async def again(self, inbound: InboundMessage, _argument: str) -> Notice | str:
        shown = self._shows_outcomes_alone
        asked = Again(message=inbound.message, language=inbound.language, sends=not shown)
        answer: str | None = await self._update(inbound, "again", asked, result=str)
        if not answer:
            return Notice(key="again-none")
        return answer if shown else Notice(key="again")

    async def history(self, inbound: InboundMessage, _argument: str) -> Notice | str:
        memory = await self._query(inbound, "history", Memory, Memory())
        lines = [f"… {memory.summary}"] if memory.summary else []
        for exchange in memory.window[-HISTORY_TURNS:]:
            lines += [f"🗣 {exchange.user[:HISTORY_CHARS]}", f"🤖 {exchange.assistant[:HISTORY_CHARS]}"]
        return "\n".join(lines) or Notice(key="history-empty")

    async def forget(self, inbound: InboundMessage, argument: str) -> Notice:
        """``/forget`` forgets this conversation, ``/forget all`` all of the chat; any other word forgets nothing."""
        if argument and plain(argument) not in EVERYTHING:
            return Notice(key="forget-what")
        chat = conversation_id(inbound.platform, inbound.chat)
        running = await self._conversations(inbound)
        topics = {conversation for conversation in running if conversation != chat}
        if not argument:
            await self._update(inbound, "forget")
            return Notice(key="forgotten-topic" if inbound.thread or topics else "forgotten")
        for topic in sorted(topic for topic in topics if running[topic]):
            await self._forget_topic(topic)
        await self._update(replace(inbound, thread=None), "forget", True)
        return Notice(key="forgotten-all" if topics else "forgotten", params={"topics": len(topics)})

    async def _conversations(self, inbound: InboundMessage) -> dict[str, bool]:
        """Return the chat's conversations by workflow id, and whether each is running."""
        state = ConversationState(platform=inbound.platform, chat=inbound.chat)  # no identifier holds a quote
        query = f"WorkflowType = '{CONVERSATION}' AND Chat = '{chat_key(state.platform, state.chat)}'"
        found: dict[str, bool] = {}
        async for run in self._client.list_workflows(query):
            found[run.id] = found.get(run.id, False) or run.status is WorkflowExecutionStatus.RUNNING
        return found

    async def _forget_topic(self, conversation: str) -> None:
        try:
            await self._client.get_workflow_handle(conversation).execute_update(
                "forget", rpc_timeout=workflow_calls.TIMEOUT
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it ended meanwhile
                raise

    async def privacy(self, _inbound: InboundMessage, _argument: str) -> Notice:
        return Notice(key="privacy", params={"kept_seconds": self._retention_hours * 3600})

    def _voices_in(self, language: str | None) -> str:
        return ", ".join(voice_names(self._voices, spoken_language(language)).values())

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


def _voice_now(settings: ChatSettings, language: str | None) -> str:
    if settings.voice is None:
        return say(Notice(key="status-voice-auto"), language)
    return say(Notice(key="status-voice", params={"voice": settings.voice}), language)


def _language_now(settings: ChatSettings, language: str | None) -> str:
    if settings.language is None:
        return say(Notice(key="language-auto"), language)
    return say(Notice(key="language-now", params={"chosen": settings.language}), language)


def _zone_now(settings: ChatSettings, language: str | None) -> str:
    if settings.time_zone is None:
        return say(Notice(key="timezone-auto"), language)
    return say(Notice(key="timezone-now", params={"chosen": settings.time_zone}), language)


def described(names: Sequence[str], language: str | None) -> list[str]:
    """List commands with what they do, a line each: ``/new — …``."""
    return [f"/{name} — {description(name, language)}" for name in names]


def description(command: str, language: str | None) -> str:
    """Return a few words on what a command does; for a platform's own menu of commands."""
    return say(Notice(key=f"command-{command}"), language)
