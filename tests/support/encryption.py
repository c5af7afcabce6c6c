"""The keys of the tests, and what is recorded with them, opened."""

from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from temporalio.client import WorkflowHandle, WorkflowHistory

from tests.support.payloads import payloads_of
from workers.encryption.codec import EncryptionCodec, data_converter
from workers.encryption.source import Keys, configured_keys
from workers.settings import EncryptionSettings, StorageSettings

KEY_RING = Path(__file__).resolve().parent.parent / "data" / "keys.json"
"""Known to everybody: only for tests."""


def keys_of_tests() -> Keys:
    """The keys by which the tests' server is written to, and recorded histories are read."""
    return configured_keys(settings=EncryptionSettings(key_file=str(KEY_RING)))


CONVERTER = data_converter(keys_of_tests())


def keys_of(home: Path) -> Keys:
    """The keys of a home."""
    return configured_keys(StorageSettings(home=home), EncryptionSettings(key_file=""))


async def opened(message: Message, codec: EncryptionCodec) -> Message:
    """Decrypt all payloads of a message, in place."""
    for payload in payloads_of(message):
        (plain,) = await codec.decode([payload])
        if plain is not payload:
            payload.CopyFrom(plain)
    return message


async def opened_history(handle: WorkflowHandle[Any, Any]) -> WorkflowHistory:
    """Fetch a history, decrypted as by the handle's client."""
    history, codec = await handle.fetch_history(), handle._client.data_converter.payload_codec
    assert isinstance(codec, EncryptionCodec)
    for event in history.events:
        await opened(event, codec)
    return history
