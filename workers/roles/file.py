"""The worker of platform ``file``: audio from permitted folders, replies into an outbox."""

from temporalio.client import Client

from activities.blobs import BlobStore
from activities.platforms.file import FilePlatform
from workers.roles.platform import platform_activities
from workers.roles.spec import WorkerSpec
from workers.settings import StorageSettings, WorkerSettings


async def build(_client: Client) -> WorkerSpec:
    """Build the platform by the settings of storage."""
    storage = StorageSettings()
    platform = FilePlatform(storage.outbox, storage.file_roots, BlobStore.open(storage.blobs))
    return WorkerSpec(slots=WorkerSettings().edge_slots, activities=platform_activities(platform))
