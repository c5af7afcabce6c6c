"""Who may talk on a platform, and how much: requests, state, and what bots read of it. Imports nothing heavy."""

from enum import StrEnum

from pydantic import Field
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.values import Identifier, Value

MINUTE_SECONDS = 60.0
"""Over which messages are counted."""


class Permission(StrEnum):
    """What a person or a group chat may do, as an owner has said."""

    ALLOWED = "allowed"
    OPEN = "open"
    """Of a group: every message is answered, not only those that address june."""
    DENIED = "denied"
    """Is told so."""
    BLOCKED = "blocked"
    """Is not even told so."""


class UserLimits(Value):
    """What one person may ask for, in all chats of a platform together."""

    messages_per_minute: int = Field(default=20, ge=1)
    voice_seconds_per_day: float = Field(default=3600, gt=0)
    """Seconds of speech to listen to in a day (UTC)."""


class Hold(Value):
    """Until when a person has to wait, having reached a limit; in seconds since the epoch."""

    messages_until: float = 0
    voice_until: float = 0


class AccessView(Value):
    """Who may not talk, or may: the memo ``access`` of the workflow Access, read without any worker."""

    standings: dict[str, Permission] = Field(default_factory=dict)
    """By the platform's id of a person or a group chat; ids that are not here stand as the settings say."""
    draining: bool = False
    """Nobody's messages are taken, as june is about to stop."""
    holds: dict[str, Hold] = Field(default_factory=dict)
    """By user."""


class Usage(Value):
    """What one person asked for."""

    day: str
    """``YYYY-MM-DD``, UTC."""
    messages: int = 0
    """On that day."""
    voice_seconds: float = 0
    """On that day."""
    arrivals: tuple[float, ...] = ()
    """When the last messages came, in seconds since the epoch."""


class AccessState(Value):
    """All that Access knows of a platform; carried over when it continues as new."""

    platform: Identifier
    view: AccessView = AccessView()
    limits: UserLimits = UserLimits()
    usage: dict[str, Usage] = Field(default_factory=dict)
    """By user; of today."""
    events_per_run: int = Field(default=1000, ge=1)
    """Signals and updates, then it continues as new."""


class Arrival(Value):
    """A person's message was accepted: what a bot signals to Access."""

    user: Identifier
    limits: UserLimits = UserLimits()
    """As the settings are now."""


class Heard(Value):
    """So much speech was listened to: what a Conversation signals to Access."""

    user: Identifier
    seconds: float


class AccessChange(Value):
    """What an owner says of a person or a group, or of june itself."""

    id: Identifier | None = None
    standing: Permission | None = None
    """None: as the settings say."""
    draining: bool | None = None
