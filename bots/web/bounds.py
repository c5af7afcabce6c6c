"""How much of the page's server one chat, or one address, may use at once, and all together."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

RETRY = {"Retry-After": "1"}


class Bound:
    """Requests of one kind that are under way, each from its first byte to the last of its answer."""

    def __init__(self, per_one: int, in_all: int) -> None:
        """Let so many in at once."""
        self._per_one = per_one
        self._in_all = in_all
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def place(self, whose: str) -> Iterator[None]:
        """Count a request of a chat, or an address, for as long as the block runs.

        Raises:
            HTTPException: 429, there are as many of it; 503, as many in all.

        """
        if self._under_way[whose] >= self._per_one:
            raise HTTPException(429, "too many at once", headers=RETRY)
        if self._under_way.total() >= self._in_all:
            raise HTTPException(503, "too many at once", headers=RETRY)
        self._under_way[whose] += 1
        try:
            yield
        finally:
            self._under_way[whose] -= 1
            self._under_way += Counter()  # forgets those that have none


class Memory:
    """Bytes of recordings that have come and are not stored yet."""

    def __init__(self, most: int) -> None:
        """Hold so many at once."""
        self._free = most

    @contextmanager
    def room(self) -> Iterator[Callable[[int], None]]:
        """Yield what takes room for so many bytes more; all of it is free again after the block.

        Raises:
            HTTPException: 503, there is no more.

        """
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self._free:
                raise HTTPException(503, "too many at once", headers=RETRY)
            self._free -= size
            taken += size

        try:
            yield take
        finally:
            self._free += taken


class Bounded(Response):
    """A response that is made and sent within a bound."""

    def __init__(self, bound: Bound, chat: str, make: Callable[[], Awaitable[Response]]) -> None:
        """Make the response when it is to be sent."""
        super().__init__()
        self._bound = bound
        self._chat = chat
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make and send it."""
        with self._bound.place(self._chat):
            await (await self._make())(scope, receive, send)
