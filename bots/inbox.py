"""The door of a platform: every message comes through here, and is admitted, refused or obeyed."""

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from opentelemetry import trace
from opentelemetry.propagate import inject
from temporalio.client import Client

from activities.error_codes import ErrorCode
from activities.values import AudioSource, Notice
from bots import access
from bots.access import Admission, Policy, Role
from bots.commands import Caller, Commands, known, parse
from bots.intake import accept
from bots.texts.catalogue import say
from workflows.access.contracts import Arrival, UserLimits
from workflows.voice.contracts import Limits, VoiceMessageRequest

REFUSAL_PAUSE_SECONDS = 60.0
"""The same refusal is not said again in a chat within so many seconds: a flood is not answered by another."""
REFUSALS_REMEMBERED = 1000
MAX_TEXT_CHARS = 8000


@dataclass(frozen=True)
class Incoming:
    """A message, as every platform can tell it. A command is a text that begins with a slash."""

    platform: str
    chat: str
    message: str
    """The platform's id of it, unique in the chat."""
    user: str
    """The platform's id of the sender."""
    sender: str = ""
    """Display name."""
    thread: str | None = None
    language: str | None = None
    """Of the sender's client, as ISO 639-1 (``de``, ``de-AT``)."""
    group: str | None = None
    """What the allow-list calls this group or channel; None in private."""
    places: tuple[str, ...] = ()
    """Where in the group, the narrowest first: what the allow-list may name as well (a channel, the one around it)."""
    addressed: bool = True
    """Said to june: in private, by mention, as a reply, or by a command of the platform's own."""
    audio: AudioSource | None = None
    audio_seconds: float | None = None
    """Duration as the sender's client claims it: refused early when too long, never trusted otherwise."""
    text: str | None = None
    """Beside a recording it tells what is wanted of that."""
    quoted: str | None = None
    """Text of the message that this one replies to."""
    about: str | None = None
    """User that a message replied to is from: whom an owner's command means."""


@dataclass(frozen=True)
class Caps:
    """What is refused before anything is downloaded, and what people may ask for."""

    max_bytes: int = 20_000_000
    max_seconds: float = 600
    chat: Limits = field(default_factory=Limits)
    user: UserLimits = field(default_factory=UserLimits)


class Door:
    """The door of one platform."""

    def __init__(
        self,
        client: Client,
        policy: Policy,
        caps: Caps,
        commands: Commands,
        *,
        accompanied: bool = False,
        signal_sentences: bool = False,
    ) -> None:
        """Open the door.

        Args:
            client: the way to Temporal.
            policy: who may talk, as the settings say.
            caps: sizes and rates.
            commands: what people can tell june to do.
            accompanied: the platform serves the activity ``accompany``.
            signal_sentences: the platform shows sentences while the model writes, by asking the turn for them.

        """
        self._client = client
        self._policy = policy
        self._caps = caps
        self._commands = commands
        self._accompanied = accompanied
        self._signal_sentences = signal_sentences
        self._refused: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def receive(self, incoming: Incoming) -> str | None:
        """Take a message; when this returns, it is safe, and may be confirmed to the platform.

        Await it for one message of a chat after the other. The same message again is answered once.

        Returns:
            What to say to the sender now (a command's outcome, a refusal); None when there is nothing to say, as the
            answer comes through the conversation, or june does not listen.

        Raises:
            temporalio.service.RPCError: the server did not take it; the platform should deliver it again.

        """
        with trace.get_tracer("june").start_as_current_span(f"{incoming.platform} message"):
            admission = await access.read(self._client, incoming.platform, self._policy)
            role = admission.role(incoming.user, incoming.group, *incoming.places)
            command = parse(incoming.text) if incoming.text and not incoming.audio else None
            # An unknown command that is not said to june is another bot's.
            heeds = self._heeds(incoming, admission) or (command is not None and known(command[0]))
            if role is Role.BLOCKED or not heeds:
                return None
            if role is Role.STRANGER:
                return self._refuse(incoming, Notice(key="not-allowed", params={"user": incoming.user}))
            if command:
                return await self._commands.run(_caller(incoming, role), *command)
            refusal = self._refusal(incoming, admission)
            if refusal:
                return self._refuse(incoming, refusal)
            await self._accept(incoming)
            return None

    def _heeds(self, incoming: Incoming, admission: Admission) -> bool:
        return incoming.addressed or incoming.group is None or admission.answers_all(*incoming.places, incoming.group)

    def _refusal(self, incoming: Incoming, admission: Admission) -> Notice | None:
        caps, now = self._caps, time.time()
        if admission.view.draining:
            return Notice(key="draining")
        hold = admission.view.holds.get(incoming.user)
        if hold and hold.messages_until > now:
            per_minute = caps.user.messages_per_minute
            return Notice(key=ErrorCode.USER_RATE_LIMITED.value, params={"per_minute": per_minute})
        if incoming.audio is None:
            return None if (incoming.text or "").strip() else Notice(key="unsupported")
        if hold and hold.voice_until > now:
            limit = caps.user.voice_seconds_per_day
            return Notice(key=ErrorCode.USER_VOICE_SPENT.value, params={"limit_seconds": limit})
        if (incoming.audio.claimed_bytes or 0) > caps.max_bytes:
            return Notice(key=ErrorCode.AUDIO_TOO_LARGE.value, params={"limit_bytes": caps.max_bytes})
        if (incoming.audio_seconds or 0) > caps.max_seconds:
            return Notice(key=ErrorCode.AUDIO_TOO_LONG.value, params={"limit_seconds": caps.max_seconds})
        return None

    async def _accept(self, incoming: Incoming) -> None:
        carrier: dict[str, str] = {}
        inject(carrier)
        request = VoiceMessageRequest(
            platform=incoming.platform,
            chat=incoming.chat,
            thread=incoming.thread,
            message=incoming.message,
            user=incoming.user,
            sender=incoming.sender[:120],
            shared=incoming.group is not None,
            language=(incoming.language or "")[:2].lower() or None,
            audio=incoming.audio,
            text=None if incoming.audio else (incoming.text or "")[:MAX_TEXT_CHARS],
            quoted=(incoming.quoted or "")[:2000] or None,
            remark=((incoming.text if incoming.audio else None) or "")[:2000] or None,
            trace=carrier,
            accompanied=self._accompanied,
            signal_sentences=self._signal_sentences,
            limits=self._caps.chat,
        )
        await accept(self._client, request)
        await access.count(self._client, incoming.platform, Arrival(user=incoming.user, limits=self._caps.user))

    def _refuse(self, incoming: Incoming, notice: Notice) -> str | None:
        """Word a refusal, unless it was said in this chat a moment ago."""
        key, now = (incoming.chat, notice.key), time.monotonic()
        if now - self._refused.get(key, -REFUSAL_PAUSE_SECONDS) < REFUSAL_PAUSE_SECONDS:
            return None
        self._refused[key] = now
        self._refused.move_to_end(key)
        while len(self._refused) > REFUSALS_REMEMBERED:
            self._refused.popitem(last=False)
        return say(notice, incoming.language)


def _caller(incoming: Incoming, role: Role) -> Caller:
    return Caller(
        platform=incoming.platform,
        chat=incoming.chat,
        thread=incoming.thread,
        group=incoming.group,
        place=next(iter(incoming.places), incoming.group),
        about=incoming.about,
        language=incoming.language,
        owner=role is Role.OWNER,
    )
