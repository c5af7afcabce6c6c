"""Take back a message of june's own that holds no longer."""

from temporalio import activity

from activities.platforms.platform import Retracts
from activities.values import Address, Value


class RetractRequest(Value):
    """Which message to take back."""

    to: Address
    """What it was sent in reply to."""
    message: str
    """The platform's id of it."""


class RetractActivity:
    """The activity ``retract`` of one platform."""

    def __init__(self, platform: Retracts) -> None:
        """Take messages back on this platform."""
        self._platform = platform

    @activity.defn
    async def retract(self, request: RetractRequest) -> None:
        """Delete the message; one that cannot be deleted stays."""
        await self._platform.retract(request.to, request.message)
