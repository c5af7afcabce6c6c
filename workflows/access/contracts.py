"""Permissions and limits of the people on a platform: requests, state, and what bots read. Imports nothing heavy."""

from enum import StrEnum

from pydantic import Field
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.values import Identifier, Value

MINUTE_SECONDS = 60.0
"""Window in which messages are counted."""


class Permission(StrEnum):
    """What a person or a group chat may do, as set by an owner."""

    ALLOWED = "allowed"
    OPEN = "open"
    """Of a group: every message is answered, not only those that address june."""
    DENIED = "denied"
    """Not answered, and told so."""
    BLOCKED = "blocked"
    """Not answered at all."""


class UserLimits(Value):
    """What one person may ask for, in all chats of a platform together."""

    messages_per_minute: int = Field(default=20, ge=1)
    voice_seconds_per_day: float = Field(default=3600, gt=0)
    """Seconds of speech that are transcribed in a day (UTC)."""


class Hold(Value):
    """Until when a person who has reached a limit has to wait, in seconds since the epoch."""

    messages_until: float = 0
    voice_until: float = 0


class AccessView(Value):
    """Permissions and holds: the memo ``access`` of the workflow Access, read without any worker."""

    standings: dict[str, Permission] = Field(default_factory=dict)
    """By the platform's id of a person or a group chat; for other ids the settings decide."""
    names: dict[str, str] = Field(default_factory=dict)
    """What those are called, by the same ids, as far as it is known."""
    draining: bool = False
    """No messages are accepted, as june is about to stop."""
    holds: dict[str, Hold] = Field(default_factory=dict)
    """By user."""


class Usage(Value):
    """What one person has used."""

    day: str
    """``YYYY-MM-DD``, UTC."""
    messages: int = 0
    """On that day."""
    voice_seconds: float = 0
    """On that day."""
    arrivals: tuple[float, ...] = ()
    """When the last messages arrived, in seconds since the epoch."""
    name: str = ""
    """Display name."""


class AccessState(Value):
    """State of the workflow Access; carried over when it continues as new."""

    platform: Identifier
    view: AccessView = AccessView()
    limits: UserLimits = UserLimits()
    usage: dict[str, Usage] = Field(default_factory=dict)
    """By user, of today."""
    events_per_run: int = Field(default=1000, ge=1)
    """Signals and updates after which it continues as new."""


class Arrival(Value):
    """A message of a person was accepted: signalled by a bot."""

    user: Identifier
    name: str = Field(default="", max_length=120)
    """Display name."""
    limits: UserLimits = UserLimits()
    """From the settings, as they are now."""


class Heard(Value):
    """Speech of a person was transcribed: signalled by a Conversation."""

    user: Identifier
    seconds: float


class AccessChange(Value):
    """What an owner sets for a person or a group, or for june itself."""

    id: Identifier | None = None
    standing: Permission | None = None
    """None: the settings decide."""
    name: str | None = Field(default=None, max_length=120)
    """What the person or the group is called."""
    draining: bool | None = None
