"""The key ring: the keys of payload encryption, of which one is active; and the file that june keeps them in."""

import base64
import binascii
import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_serializer, model_validator

from workers.errors import JuneError

KEY_BYTES = 32
"""AES-256."""


class KeyRingError(JuneError):
    """The key ring cannot be read, or does not say what it must."""


class Key(BaseModel):
    """One key. Its id goes with each payload that it encrypts, in the clear."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")]
    created_at: datetime
    secret: SecretStr
    """32 bytes in base64."""

    @model_validator(mode="after")
    def _has_all_bytes(self) -> "Key":
        try:
            right = len(self.raw) == KEY_BYTES
        except binascii.Error:
            right = False
        if not right:
            raise ValueError(f"key {self.id} is not {KEY_BYTES} bytes in base64")
        return self

    @field_serializer("secret", when_used="json")
    def _write_secret(self, secret: SecretStr) -> str:
        return secret.get_secret_value()

    @property
    def raw(self) -> bytes:
        """The key itself."""
        return base64.b64decode(self.secret.get_secret_value(), validate=True)


class KeyRing(BaseModel):
    """Keys by which payloads are read; the active one encrypts. A ring without keys encrypts nothing."""

    model_config = ConfigDict(frozen=True)

    active: str = ""
    """Id of the key that encrypts."""
    keys: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> "KeyRing":
        ids = [key.id for key in self.keys]
        if len(set(ids)) < len(ids):
            raise ValueError("two keys have the same id")
        if self.keys and self.active not in ids:
            raise ValueError("the active key is not among the keys")
        return self


def new_key() -> Key:
    """Return a random key, named by its day."""
    now = datetime.now(UTC).replace(microsecond=0)
    secret = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return Key(id=f"{now:%Y%m%d}-{secrets.token_hex(4)}", created_at=now, secret=SecretStr(secret))


def read_ring(path: Path) -> KeyRing:
    """Read a key ring's file.

    Raises:
        KeyRingError: it is not there, cannot be read, or is no key ring; never with a key in the sentence.

    """
    try:
        return KeyRing.model_validate_json(path.read_bytes())
    except OSError as error:
        raise KeyRingError(f"The key ring {path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:  # which quotes the input
        wrong = "; ".join(problem["msg"] for problem in error.errors(include_input=False, include_context=False))
        raise KeyRingError(f"The key ring {path} is damaged: {wrong}.") from None


def make_ring(path: Path) -> bool:
    """Make the file with a first key, unless it is there; return whether it was made.

    Raises:
        KeyRingError: the file cannot be written.

    """
    with _locked(path):
        if path.exists():
            return False
        key = new_key()
        _write(path, KeyRing(active=key.id, keys=(key,)))
        return True


def add_key(path: Path, *, activate: bool) -> Key:
    """Add a key to the file's ring, and encrypt with it from now on if that is wanted; older ones are still read.

    Raises:
        KeyRingError: the file is not there, or cannot be written.

    """
    with _locked(path):
        ring, key = read_ring(path), new_key()
        _write(path, KeyRing(active=key.id if activate else ring.active, keys=(*ring.keys, key)))
        return key


def activate_key(path: Path, key_id: str) -> None:
    """Encrypt with this key of the file's ring from now on.

    Raises:
        KeyRingError: the ring has no such key, or the file cannot be written.

    """
    with _locked(path):
        ring = read_ring(path)
        if key_id not in {key.id for key in ring.keys}:
            raise KeyRingError(f"There is no key {key_id} in {path}: june keys list")
        _write(path, ring.model_copy(update={"active": key_id}))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder of the file, lest two processes write it at once and one loses the other's key."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyRingError(f"The key ring {path} cannot be written: {error.strerror}.") from None


def _write(path: Path, ring: KeyRing) -> None:
    """Write the file at once or not at all, for its owner's eyes only, and wait until the disk has it."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(ring.model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
