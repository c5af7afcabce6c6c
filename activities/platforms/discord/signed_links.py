"""Signed links of Discord's files: read until they expire, and stored where june can read a message only once."""

import logging
from urllib.parse import urlsplit

import aiohttp
from discord.http import Route
from obstore.exceptions import BaseError

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError

_log = logging.getLogger(__name__)

DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=60)
MAX_LINK_BYTES = 4000
FILE_SERVERS = frozenset({"https://cdn.discordapp.com", "https://media.discordapp.net"})


class LinkExpiredError(Exception):
    """A signed link has expired; its message has a fresh one."""


class SignedLinks:
    """Links of files in messages that june can read only once: a menu's target, without the message-content intent.

    A link lets whoever has it read the file, for about a day. So it is not for a request, as histories are copied,
    exported and shown; there is only the key under which it lies in the audio store, beside the sound that it leads to.
    It survives a restart, and goes as that sound does: with /forget, and by age.
    """

    def __init__(self, blobs: BlobStore) -> None:
        """Use the store of audio."""
        self._blobs = blobs

    async def keep(self, channel: str, link: str) -> str | None:
        """Store a link of a channel; return its key, or None where the store does not take it."""
        try:
            kept = await self._blobs.put(
                "discord", channel, link.encode(), mime="text/uri-list", seconds=0, sample_rate=0, ending="link"
            )
        except (BaseError, OSError) as error:  # the person is answered that the sound is missing
            _log.warning("a link in channel %s was not kept: %s", channel, error)
            return None
        return kept.key

    async def get(self, key: str) -> str:
        """Return a link by its key.

        Raises:
            BadInputError: ``audio-missing``; ``audio-forbidden`` for what is no link to a file of Discord's.

        """
        link = (await self._blobs.get(key, MAX_LINK_BYTES)).decode(errors="replace")
        # june must not be led to other servers by whoever can write a request, or store a sound.
        if _origin(link) not in FILE_SERVERS | {_origin(Route.BASE)}:
            raise BadInputError(ErrorCode.AUDIO_FORBIDDEN, "What was kept is no link to a file of Discord's.")
        return link


def _origin(link: str) -> str:
    """Return the scheme and server of a link; an empty text if it is none."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


async def read_link(link: str, max_bytes: int) -> bytes:
    """Read a file of Discord's: at most its first ``max_bytes + 1`` bytes.

    Raises:
        LinkExpiredError: the link has expired (403, 404).
        aiohttp.ClientError: try again.

    """
    async with aiohttp.ClientSession(timeout=DOWNLOAD_TIMEOUT) as session, session.get(link) as response:
        if response.status in {403, 404}:
            raise LinkExpiredError
        response.raise_for_status()
        data = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            data += chunk
            if len(data) > max_bytes:
                break
        return bytes(data[: max_bytes + 1])
