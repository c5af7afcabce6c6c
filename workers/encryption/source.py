"""Where a process has its keys from: a file, a function of the operator's (a KMS, say), or nowhere."""

import importlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from workers.encryption.keys import KeyRing, KeyRingError, read_ring
from workers.settings import EncryptionSettings, StorageSettings

_log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 5.0
"""A function is asked for a key that its ring lacked at most so often."""


class Keys:
    """The keys that a process encrypts and decrypts with; a rotation reaches it while it runs."""

    def __init__(self, origin: str, load: Callable[[], KeyRing], version: Callable[[], object] | None = None) -> None:
        """Load the ring.

        Args:
            origin: where from, for people.
            load: returns the ring as it is now.
            version: returns another value once the ring is another, in microseconds; None when that cannot be told,
                so that the ring is loaded again when a key is missing.

        Raises:
            KeyRingError: there is no ring.

        """
        self.origin = origin
        self._load, self._version = load, version
        self._loaded_at = time.monotonic()
        self._seen = version() if version else None
        self._ciphers: dict[str, AESGCM] = {}
        self._active = ""
        self._use(load())

    @classmethod
    def none(cls, origin: str = "no keys") -> "Keys":
        """Return keys that encrypt nothing and decrypt nothing."""
        return cls(origin, KeyRing)

    @property
    def active_id(self) -> str:
        """Id of the key that encrypts; empty when nothing is encrypted."""
        self._follow()
        return self._active

    def active(self) -> tuple[str, AESGCM] | None:
        """Return the key that encrypts now; None when nothing is encrypted."""
        active = self.active_id
        return (active, self._ciphers[active]) if active else None

    def find(self, key_id: str) -> AESGCM | None:
        """Return a key by its id, after a look for newer ones where it is not known; None where there is none."""
        if key_id not in self._ciphers:
            if self._version:
                self._follow()
            elif time.monotonic() - self._loaded_at >= ASK_AGAIN_SECONDS:
                self._reload()
        return self._ciphers.get(key_id)

    def _follow(self) -> None:
        """Load the ring again if it is another."""
        version = self._version() if self._version else None
        if version != self._seen:
            self._seen = version
            self._reload()

    def _reload(self) -> None:
        """Load the ring again; while that fails, keep what is known."""
        self._loaded_at = time.monotonic()
        try:
            self._use(self._load())
        except KeyRingError as error:
            _log.error("the keys stay as they were: %s", error)

    def _use(self, ring: KeyRing) -> None:
        self._ciphers = {key.id: AESGCM(key.raw) for key in ring.keys}
        self._active = ring.active


def configured_keys(storage: StorageSettings | None = None, settings: EncryptionSettings | None = None) -> Keys:
    """Return the keys that the settings name; none where they name none and the home has none.

    Raises:
        KeyRingError: what they name is not there, or is no key ring.

    """
    storage, settings = storage or StorageSettings(), settings or EncryptionSettings()
    if settings.keys_from:
        return Keys(settings.keys_from, lambda: _called(settings.keys_from))
    path = settings.path(storage)
    if not settings.key_file and not path.exists():
        return Keys.none(f"no keys in {path}")
    return Keys(str(path), lambda: read_ring(path), lambda: _version(path))


def _version(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _called(name: str) -> KeyRing:
    """Call ``module:function`` for the key ring."""
    module, _, function = name.partition(":")
    try:
        ring = getattr(importlib.import_module(module), function)()
    except Exception as error:
        raise KeyRingError(f"JUNE_ENCRYPTION_KEYS_FROM: {name} gave no keys: {type(error).__name__}.") from error
    if not isinstance(ring, KeyRing) or not ring.keys:
        raise KeyRingError(f"JUNE_ENCRYPTION_KEYS_FROM: {name} returned no KeyRing with keys.")
    return ring
