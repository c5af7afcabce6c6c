"""What the workflows worker does beside its queue: stored audio is deleted when its time is over.

In this process and not by a Schedule of Temporal, as that would add a workflow an hour, 720 in the 30 days that closed
ones are kept, to the list in which people look for their conversations.
"""

import asyncio
import logging
import time
from datetime import timedelta
from typing import Protocol

_log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0


JUMP_SECONDS = 600.0
"""A clock that is set right by so much or less is no reason to wait."""


def _clocks() -> float:
    """Return by how many seconds the time of day is ahead of the time since the machine was started."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


class Expiring(Protocol):
    """A store that deletes by age."""

    async def delete_older_than(self, age: timedelta) -> int:
        """Delete what is older; return how many files that were."""
        ...


async def delete_old_audio(blobs: Expiring, age: timedelta) -> None:
    """Delete stored audio older than ``age``, now and every hour, until cancelled.

    When the clock is set forward all audio would seem old: then an hour is left to set it right.

    Several workers may do so at once. A failure is logged, and the next hour sees to what was left.
    """
    lasted = _clocks()
    while True:
        before, lasted = lasted, _clocks()
        if ahead := max(0.0, lasted - before - JUMP_SECONDS):
            _log.warning("the clock was set forward by %.0f h: old audio is looked for in an hour", ahead / 3600)
            await asyncio.sleep(EVERY_SECONDS)
            continue
        try:
            deleted = await blobs.delete_older_than(age)
        except Exception:  # noqa: BLE001 - the store may be out of reach for a while; workflows go on meanwhile
            _log.exception("audio older than %s could not be deleted, and is tried again in an hour", age)
        else:
            if deleted:
                _log.info("deleted %d stored sounds older than %s", deleted, age)
        await asyncio.sleep(EVERY_SECONDS)
