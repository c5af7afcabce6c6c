"""Platform ``web``: recordings come from the store, and the page reads replies off the turn's workflow itself."""

from collections import OrderedDict

from activities.blobs import BlobStore
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.platforms.platform import Document, MessageText, VoiceNote
from activities.values import BLOB_SCHEME, Address, AudioSource

RECENT_TEXTS = 1000


class WebPlatform:
    """A platform whose page polls for replies: one is delivered as soon as its turn has it."""

    platform = "web"
    repeatable = True
    caption_limit = 0
    file_limit = 100_000_000

    def __init__(self, blobs: BlobStore) -> None:
        """Read recordings from the store that the page's server puts them into."""
        self._blobs = blobs
        self._texts: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def download(self, source: AudioSource, max_bytes: int) -> bytes:
        """Read a stored recording.

        Raises:
            BadInputError: ``audio-missing``, ``audio-forbidden``, ``audio-too-large``.

        """
        if not source.locator.startswith(BLOB_SCHEME):
            raise BadInputError(ErrorCode.AUDIO_FORBIDDEN, "The audio is not in the store.")
        return await self._blobs.get(source.locator.removeprefix(BLOB_SCHEME), max_bytes)

    async def send_text(self, to: Address, text: MessageText) -> str:
        """Keep the text for a page that asks about a message without a turn (refused, or cancelled while queued)."""
        self._texts[to.chat, to.message] = text.plain
        self._texts.move_to_end((to.chat, to.message))
        while len(self._texts) > RECENT_TEXTS:
            self._texts.popitem(last=False)
        return to.message

    async def send_voice(self, to: Address, voice: VoiceNote) -> str:
        """Do nothing: the reply is in the store, and the turn's result names it."""
        del voice
        return to.message

    async def send_file(self, to: Address, document: Document) -> str:
        """Do nothing: the file is in the store, and the page reads of it off the task's workflow."""
        del document
        return to.message

    def recent_text(self, chat: str, message: str) -> str | None:
        """Return the last text sent for a message; None if it is long ago, or was sent by an earlier process."""
        return self._texts.get((chat, message))
