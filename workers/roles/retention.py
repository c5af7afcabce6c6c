"""What the workflows worker does beside its queue: stored audio is deleted when its time is over."""

import asyncio
import logging
from datetime import timedelta
from typing import Protocol

_log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0


class Expiring(Protocol):
    """A store that deletes by age."""

    async def delete_older_than(self, age: timedelta) -> int:
        """Delete what is older; tell how much it was."""
        ...


async def delete_old_audio(blobs: Expiring, age: timedelta) -> None:
    """Delete stored audio older than ``age``, now and every hour, until cancelled."""
    while True:
        deleted = await blobs.delete_older_than(age)
        if deleted:
            _log.info("deleted %d stored sounds older than %s", deleted, age)
        await asyncio.sleep(EVERY_SECONDS)
