"""The inbox of a platform: every message comes through here, and is accepted, refused, or run as a command."""

import time
from dataclasses import dataclass, field

from opentelemetry import trace
from temporalio.client import Client

from activities.error_codes import ErrorCode
from activities.values import Notice
from bots import access
from bots.access import Admission, Policy, Role
from bots.coding import gives_task
from bots.commands import Commands, known, parse
from bots.intake import ATTACHMENTS, InboundMessage, accept, request_of
from bots.people import cleaned
from bots.refusals import Refusals
from bots.texts.catalogue import say
from workflows.access.contracts import MINUTE_SECONDS, Arrival, UserLimits
from workflows.voice.contracts import Limits

DAY_SECONDS = 86_400.0
CLOCKS_DIFFER_SECONDS = 600.0
"""Between the server and this machine; a hold that is longer by more is from before a clock was set back."""


@dataclass(frozen=True)
class InboundLimits:
    """What is refused before anything is downloaded, and what people may ask for."""

    max_bytes: int = 20_000_000
    max_seconds: float = 600
    chat: Limits = field(default_factory=Limits)
    user: UserLimits = field(default_factory=UserLimits)


class Inbox:
    """The inbox of one platform."""

    def __init__(
        self,
        client: Client,
        policy: Policy,
        limits: InboundLimits,
        commands: Commands,
        *,
        accompanied: bool = False,
        signal_sentences: bool = False,
    ) -> None:
        """Configure the inbox.

        Args:
            client: connection to Temporal.
            policy: who may talk, as the settings say.
            limits: sizes and rates.
            commands: run what people command.
            accompanied: the platform serves the activity ``accompany``.
            signal_sentences: the platform shows sentences while the model writes, by asking the turn for them.

        """
        self._client = client
        self._policy = policy
        self._limits = limits
        self._commands = commands
        self._accompanied = accompanied
        self._signal_sentences = signal_sentences
        self._refusals = Refusals()

    async def receive(self, inbound: InboundMessage) -> str | None:
        """Receive a message; when this returns, it is safe, and may be confirmed to the platform.

        Await it for one message of a chat after the other. The same message again is answered once.

        Returns:
            What to say to the sender now (a command's outcome, a refusal); None when there is nothing to say, as the
            answer comes through the conversation, or the message is not for june.

        Raises:
            temporalio.service.RPCError: the server did not take it; the platform should deliver it again.

        """
        with trace.get_tracer("june").start_as_current_span(f"{inbound.platform} message"):
            self._commands.owners.names.learn(inbound)
            admission = await access.read(self._client, inbound.platform, self._policy)
            role = admission.role(inbound.user, inbound.group, *inbound.places)
            command = parse(inbound.text) if inbound.text and not inbound.audio else None
            meant = (
                inbound.addressed
                or inbound.group is None
                or (admission.answers_all(*inbound.places, inbound.group) and _answerable(inbound))
                or (command is not None and known(command[0]))  # an unknown one is another bot's
            )
            if role is Role.BLOCKED or not meant:
                return None
            if role is Role.STRANGER:
                notice = Notice(key="not-allowed", params={"user": inbound.user})
                return self._refuse(inbound, notice, command=command is not None)
            counts = command is None or (gives_task(*command) and self._commands.may(role, command[0]))
            refusal = self._refusal(inbound, admission) if counts else None
            if refusal:
                return self._refuse(inbound, refusal)
            if command:
                self._refusals.end(inbound.chat, (inbound.user, inbound.thread))
                outcome = await self._commands.run(inbound, role, *command)
                if counts:
                    await self._count(inbound)
                return outcome
            request = request_of(
                inbound, self._limits.chat, accompanied=self._accompanied, signal_sentences=self._signal_sentences
            )
            await accept(self._client, request)
            self._refusals.end(inbound.chat, (inbound.user, inbound.thread))
            await self._count(inbound)
            return None

    async def _count(self, inbound: InboundMessage) -> None:
        arrival = Arrival(user=inbound.user, name=cleaned(inbound.sender), limits=self._limits.user)
        await access.count(self._client, inbound.platform, arrival)

    def _refusal(self, inbound: InboundMessage, admission: Admission) -> Notice | None:
        limits, now = self._limits, time.time()
        if admission.view.draining:
            return Notice(key="draining")
        hold = admission.view.holds.get(inbound.user)
        if hold and now < hold.messages_until < now + MINUTE_SECONDS + CLOCKS_DIFFER_SECONDS:
            per_minute = limits.user.messages_per_minute
            return Notice(key=ErrorCode.USER_RATE_LIMITED.value, params={"per_minute": per_minute})
        if inbound.audio is None:
            return None if _answerable(inbound) else _nothing_to_answer(inbound)
        if hold and now < hold.voice_until < now + DAY_SECONDS + CLOCKS_DIFFER_SECONDS:
            limit = limits.user.voice_seconds_per_day
            return Notice(key=ErrorCode.USER_VOICE_SPENT.value, params={"limit_seconds": limit})
        if (inbound.audio.claimed_bytes or 0) > limits.max_bytes:
            return Notice(key=ErrorCode.AUDIO_TOO_LARGE.value, params={"limit_bytes": limits.max_bytes})
        if (inbound.audio_seconds or 0) > limits.max_seconds:
            return Notice(key=ErrorCode.AUDIO_TOO_LONG.value, params={"limit_seconds": limits.max_seconds})
        return None

    def _refuse(self, inbound: InboundMessage, notice: Notice, *, command: bool = False) -> str | None:
        """Return a refusal as a sentence; None when the sender of a flood was told a moment ago."""
        said = self._refusals.say(inbound.chat, (inbound.user, inbound.thread), notice.key, asked=command)
        return say(notice, inbound.language) if said or inbound.awaited else None


def _answerable(inbound: InboundMessage) -> bool:
    return inbound.audio is not None or bool((inbound.text or "").strip())


def _nothing_to_answer(inbound: InboundMessage) -> Notice:
    """Say what june cannot take, by its kind; without any of that, june was only called by its name."""
    if inbound.attachment is None:
        return Notice(key="mentioned")
    named = inbound.attachment in ATTACHMENTS
    return Notice(key=f"attachment-{inbound.attachment}" if named else "unsupported")
