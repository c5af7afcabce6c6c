"""Platform ``web``: recordings come from the store, and the page reads replies off the turn's workflow itself."""

from collections import OrderedDict

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import VoiceNote
from activities.values import Address, AudioSource

BLOB_SCHEME = "blob:"
REMEMBERED = 1000


class WebPlatform:
    """A platform whose page asks for everything: a reply is delivered once its turn knows it."""

    platform = "web"
    repeatable = True
    caption_limit = 0

    def __init__(self, blobs: BlobStore) -> None:
        """Take the store that the page's server puts recordings into."""
        self._blobs = blobs
        self._said: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Read a stored recording.

        Raises:
            BadInputError: ``audio-missing``, ``audio-forbidden``, ``audio-too-large``.

        """
        if not source.locator.startswith(BLOB_SCHEME):
            raise BadInputError(ErrorCode.AUDIO_FORBIDDEN, "The audio is not in the store.")
        return await self._blobs.get(source.locator.removeprefix(BLOB_SCHEME), max_bytes)

    async def send_text(self, to: Address, text: str) -> str:
        """Keep the text for a page that asks what became of a message without a turn (refused, cancelled in line)."""
        self._said[to.chat, to.message] = text
        self._said.move_to_end((to.chat, to.message))
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return to.message

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Do nothing: the reply is in the store, and the turn's result names it."""
        del voice
        return to.message

    def said(self, chat: str, message: str) -> str | None:
        """Tell what was last said of a message; None when that is long ago, or was said by a process before."""
        return self._said.get((chat, message))
