"""Compare the workspace at the end with that at the beginning: a patch, and figures."""

import asyncio

from temporalio import activity

from activities.coding.running import WorkspaceLimits, working
from activities.coding.storage import CodingStorage, Owner
from activities.sandbox.archive import Archive
from activities.sandbox.changes import changes
from activities.values import BlobRef, Value

MAX_FILES = 50
"""Named in the result."""


class CompareRequest(Value):
    """Which workspaces to compare."""

    owner: Owner
    before: BlobRef
    after: BlobRef


class ChangedFile(Value):
    """A file that is not what it was."""

    path: str
    kind: str
    """``added``, ``changed``, ``deleted``..."""
    added: int
    """Lines."""
    removed: int


class Comparison(Value):
    """What has changed."""

    patch: BlobRef
    """As ``git apply`` takes it."""
    files: tuple[ChangedFile, ...]
    """The first 50."""
    changed: int
    """Files, all of them."""
    added: int
    """Lines."""
    removed: int


class CompareActivity:
    """The activity ``compare``."""

    def __init__(self, storage: CodingStorage, limits: WorkspaceLimits) -> None:
        """Compare workspaces within the limits."""
        self._storage = storage
        self._limits = limits

    @activity.defn
    async def compare(self, request: CompareRequest) -> Comparison:
        """Store the patch, and return figures.

        Raises:
            CodingError: ``workspace-missing`` or ``archive-damaged``.

        """
        refs = (request.before, request.after)
        async with working():
            archives = [await self._storage.get(ref, self._limits.archive_bytes) for ref in refs]
            found = await asyncio.to_thread(
                lambda: changes(*(Archive.load(archive, *self._limits) for archive in archives))
            )
            patch = await self._storage.put(request.owner, found.patch.encode(), "text/x-diff", "patch")
        return Comparison(
            patch=patch,
            files=tuple(
                ChangedFile(path=file.path[:300], kind=file.kind, added=file.added, removed=file.removed)
                for file in found.files[:MAX_FILES]
            ),
            changed=len(found.files),
            added=sum(file.added for file in found.files),
            removed=sum(file.removed for file in found.files),
        )
