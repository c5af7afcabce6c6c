"""Who a browser is: a random chat in a signed cookie, and a password where one is set.

Starlette's SessionMiddleware cannot read the cookies of 0.1.0, by which people keep their conversations, and marks
all cookies as secure or none; june serves http on this machine and https behind a proxy at once.
"""

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from bots.web.bounds import Bound

COOKIE = "june"
COOKIE_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep one."""
FREE_GUESSES = 5
LONGEST_WAIT_SECONDS = 900.0
GUESS_SECONDS = 0.3
"""All guesses of all addresses together wait in one line, each for so long."""
GUESSES_PER_ADDRESS = 4
"""Guesses of one address that may wait in it."""
GUESSES = 32
ADDRESSES_REMEMBERED = 1000
_CHAT = re.compile(r"[0-9a-f]{32}")


class Sessions:
    """Signs cookies with a key that outlives restarts; another password makes all of them invalid."""

    def __init__(self, key: bytes, password: str) -> None:
        """Derive the signing key from the secret key and the password (empty for none)."""
        self._signer = URLSafeSerializer(hmac.digest(key, password.encode(), "sha256"), salt="june-web-session")

    def chat(self, connection: HTTPConnection) -> str | None:
        """Return the chat that this browser continues; None when it has none yet."""
        try:
            value = self._signer.loads(connection.cookies.get(COOKIE, ""))
        except BadSignature:
            return None
        return value if isinstance(value, str) and _CHAT.fullmatch(value) else None

    def keep(self, response: Response, chat: str, *, secure: bool) -> None:
        """Have the browser keep its chat, for as long as browsers do."""
        response.set_cookie(
            COOKIE, self._signer.dumps(chat), COOKIE_SECONDS, httponly=True, samesite="strict", secure=secure
        )


class Lock:
    """The password, with longer and longer waits for those who guess it."""

    def __init__(self, password: str) -> None:
        """Set the password; an empty one lets everybody in."""
        self._digest = hashlib.sha256(password.encode()).digest()
        self.locked = bool(password)
        self._line = asyncio.Lock()
        self._guesses = Bound(GUESSES_PER_ADDRESS, GUESSES)
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """By address: wrong guesses, and when the next is admitted."""

    def wait_seconds(self, address: str) -> float:
        """Return how many seconds an address has to wait before its next guess."""
        return max(0.0, self._failures.get(address, (0, 0.0))[1] - time.monotonic())

    async def opens(self, address: str, password: str) -> bool:
        """Try a password; wrong ones make the address wait, longer each time.

        Raises:
            HTTPException: 429, as many guesses of the address wait; 503, as many in all.

        """
        with self._guesses.place(address):
            return await self._try(address, password)

    async def _try(self, address: str, password: str) -> bool:
        async with self._line:
            await asyncio.sleep(GUESS_SECONDS)
            digest = hashlib.sha256(password.encode()).digest()
            if hmac.compare_digest(digest, self._digest):
                self._failures.pop(address, None)
                return True
            count = self._failures.pop(address, (0, 0.0))[0] + 1
            wait = min(LONGEST_WAIT_SECONDS, 2.0 ** min(count - FREE_GUESSES, 20)) if count >= FREE_GUESSES else 0.0
            self._failures[address] = (count, time.monotonic() + wait)
            while len(self._failures) > ADDRESSES_REMEMBERED:
                self._failures.popitem(last=False)
            return False


def new_chat() -> str:
    """Return a new chat's name, which cannot be guessed."""
    return secrets.token_hex(16)


def secret_key(file: Path) -> bytes:
    """Read the key that signs cookies; the first call makes it, for its owner alone."""
    with suppress(FileExistsError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{secrets.token_hex(8)}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as target:
                target.write(secrets.token_bytes(32))
            os.link(draft, file)  # whole or not at all, and never over another's
        finally:
            draft.unlink()
    return file.read_bytes()
