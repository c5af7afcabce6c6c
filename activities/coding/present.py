"""Present: what a chat is given of a coding task that has ended, as sentences to speak and files to send."""

import asyncio
import io
import re
import stat
import zipfile
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from anyascii import anyascii
from temporalio import activity

from activities.coding.running import WorkspaceLimits, working
from activities.coding.storage import CodingStorage, Owner
from activities.sandbox.archive import Archive, File
from activities.text.languages import AnswerLanguages, DetectLanguage
from activities.text.sentences import split
from activities.values import BlobRef, Value

MAX_FILES = 5
MAX_FILE_BYTES = 1_000_000
"""More files, or a larger one, go as one zip file, which holds the whole workspace."""
MAX_SENTENCES = 40
"""Of a summary; more are not spoken."""
MAX_NAME_CHARS = 60
ZIP_NAME = "workspace.zip"
_UNPLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file can tell, so that the same workspace is the same file."""


class PresentRequest(Value):
    """What has come of the task."""

    owner: Owner
    workspace: BlobRef | None = None
    """As it is at the end; None where there is none."""
    paths: tuple[str, ...] = ()
    """Files in it that were added or changed."""
    changed: int = 0
    """How many were, which may be more than are named."""
    summary: str = ""
    """The agent's own, in Markdown."""
    likely_languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages that the summary may be in, the likeliest first."""


class SummarySentence(Value):
    """A sentence to speak."""

    text: str
    language: str | None = None
    """ISO 639-1 code; None where nobody can tell."""


class PresentedFile(Value):
    """A file to send."""

    name: str
    """Of ASCII letters, digits and ``._-``."""
    file: BlobRef


class Presented(Value):
    """What the chat is given."""

    sentences: tuple[SummarySentence, ...] = ()
    files: tuple[PresentedFile, ...] = ()


class PresentActivity:
    """The activity ``present``."""

    def __init__(
        self, storage: CodingStorage, limits: WorkspaceLimits, load_detector: Callable[[], DetectLanguage] | None = None
    ) -> None:
        """Present workspaces within the limits.

        Args:
            storage: where they lie, and the files are put.
            limits: of workspaces.
            load_detector: loads what tells languages, with the first summary that there is; None leaves them open.

        """
        self._storage = storage
        self._limits = limits
        self._load_detector = load_detector
        self._detect: DetectLanguage | None = None

    @activity.defn
    async def present(self, request: PresentRequest) -> Presented:
        """Split the summary into sentences, and store the files: those that have changed, or all in one.

        Raises:
            CodingError: ``workspace-missing`` or ``archive-damaged``.

        """
        async with working():
            sentences = await asyncio.to_thread(self._sentences, request)
            files = await self._files(request)
        return Presented(sentences=sentences, files=files)

    def _sentences(self, request: PresentRequest) -> tuple[SummarySentence, ...]:
        likely = request.likely_languages
        texts = split(request.summary, next(iter(likely), "en"))[:MAX_SENTENCES]
        if not texts:
            return ()
        if self._detect is None and self._load_detector is not None:
            self._detect = self._load_detector()
        languages: Sequence[str | None] = [None] * len(texts)
        if self._detect is not None:
            languages = AnswerLanguages(self._detect, likely).of_all(texts)
        return tuple(
            SummarySentence(text=text, language=language) for text, language in zip(texts, languages, strict=True)
        )

    async def _files(self, request: PresentRequest) -> tuple[PresentedFile, ...]:
        if request.workspace is None or not request.changed:
            return ()
        data = await self._storage.get(request.workspace, self._limits.archive_bytes)
        archive = await asyncio.to_thread(Archive.load, data, *self._limits)
        contents = await asyncio.to_thread(_chosen, archive, request)
        return tuple(
            [
                PresentedFile(
                    name=name,
                    file=await self._storage.put(request.owner, content, "application/octet-stream", "file"),
                )
                for name, content in contents.items()
            ]
        )


def _chosen(archive: Archive, request: PresentRequest) -> dict[str, bytes]:
    """Return the files that have changed, by the names they are sent as, or one zip file; blocks.

    Platforms take no empty file, and names without folders must tell files apart: such go into the zip file as well.
    """
    entries = archive.entries()
    changed = {path: entry.data for path in request.paths if isinstance(entry := entries.get(path), File)}
    named = {plain_name(path): data for path, data in changed.items()}
    few = request.changed <= MAX_FILES and len(named) == len(changed)
    if few and all(0 < len(data) <= MAX_FILE_BYTES for data in named.values()):
        return named
    return {ZIP_NAME: zipped(archive)}


def plain_name(path: str) -> str:
    """Return a file's own name in at most 60 ASCII letters, digits and ``._-``, neither hidden nor empty."""
    plain = PurePosixPath(_UNPLAIN.sub("_", anyascii(PurePosixPath(path).name)).strip(".-") or "file")
    ending = plain.suffix[:10]
    return f"{plain.stem[: MAX_NAME_CHARS - len(ending)]}{ending}"


def zipped(archive: Archive) -> bytes:
    """Return the regular files of a workspace as a zip file: the same bytes for the same workspace."""
    file = io.BytesIO()
    entries = archive.entries()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for path in archive.paths():
            entry = entries[path]
            if isinstance(entry, File):
                info = zipfile.ZipInfo(path, _LONG_AGO)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = (stat.S_IFREG | (0o755 if entry.executable else 0o644)) << 16
                writer.writestr(info, entry.data)
    return file.getvalue()
