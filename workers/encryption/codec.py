"""Payload encryption, AES-256-GCM: whatever june sends to Temporal as a payload is sealed before it leaves.

A sealed payload is ``nonce (12 bytes) + ciphertext and tag`` of the whole plain payload, its metadata included. In the
clear are the encoding's name and the key's id, which the seal covers as well.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from temporalio.exceptions import ApplicationError

from activities.error_codes import ErrorCode
from workers.encryption.source import Keys

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
NONCE_BYTES = 12
IN_LOOP_BYTES = 256 * 1024
"""So much is done within a fraction of a millisecond; more is done in a thread."""

Work = Callable[[Payload], Payload]


class KeyUnknownError(ApplicationError):
    """A payload that this process has no key for. Tried again: the key may come, and what is sealed is not lost."""

    def __init__(self, message: str) -> None:
        """Say which key is missing, and where it was looked for."""
        super().__init__(message, type=ErrorCode.KEY_UNKNOWN.value)


class EncryptionCodec(PayloadCodec):
    """Seals payloads with the active key, and opens those of every key of the ring; plain ones pass as they are."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal payloads; without keys they stay plain."""
        return await _each(self._seal, payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open payloads; those that were never sealed, as june 0.1.0 and the command line write them, stay as they are.

        Raises:
            KeyUnknownError: this process has no key that opens one.

        """
        return await _each(self._open, payloads)

    def _seal(self, payload: Payload) -> Payload:
        active = self._keys.active()
        if active is None:
            return payload
        key_id, cipher = active
        nonce = os.urandom(NONCE_BYTES)
        data = nonce + cipher.encrypt(nonce, payload.SerializeToString(), _associated(key_id))
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id.encode()}, data=data)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        cipher, origin = self._keys.find(key_id), self._keys.origin
        if cipher is None:
            raise KeyUnknownError(f"A payload is encrypted with key {key_id!r}, which is not there ({origin}).")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, _associated(key_id)))
        except (InvalidTag, DecodeError, ValueError):
            sentence = f"A payload is damaged, or of another key named {key_id!r} than that of {origin}."
            raise KeyUnknownError(sentence) from None


def _associated(key_id: str) -> bytes:
    """Return what the seal covers beside the payload."""
    return ENCODING + b"\0" + key_id.encode()


async def _each(work: Work, payloads: Sequence[Payload]) -> list[Payload]:
    """Do the same to each payload: in a thread when all together are large, so that the loop goes on meanwhile."""
    if sum(len(payload.data) for payload in payloads) <= IN_LOOP_BYTES:
        return [work(payload) for payload in payloads]
    return await asyncio.to_thread(lambda: [work(payload) for payload in payloads])


def data_converter(keys: Keys) -> DataConverter:
    """Return the one converter of every client, worker and replayer of june's.

    With keys, messages and stack traces of failures are sealed as well.
    """
    failures = DefaultFailureConverterWithEncodedAttributes if keys.active_id else DefaultFailureConverter
    return replace(pydantic_data_converter, payload_codec=EncryptionCodec(keys), failure_converter_class=failures)
