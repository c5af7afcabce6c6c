"""Reads are shared, and no answer is older than its question."""

import asyncio

import pytest

from bots.web.shared_reads import SharedReads
from tests.support.logs import june_records
from tests.support.waiting import until


class Counter:
    """Counts how often it is read, each time when it is let."""

    def __init__(self) -> None:
        """Begin with none."""
        self.reads = 0
        self.at_once = 0
        self.go_on = asyncio.Semaphore(0)

    async def read(self) -> int:
        """Return the number of this read."""
        self.reads += 1
        self.at_once += 1
        assert self.at_once == 1
        number = self.reads
        await self.go_on.acquire()
        self.at_once -= 1
        return number


@pytest.fixture
def counter() -> Counter:
    return Counter()


async def ask(shared: SharedReads, counter: Counter, count: int) -> list[asyncio.Task[int]]:
    """Ask so many times at once."""
    asked = [asyncio.create_task(shared.read("it", counter.read)) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return asked


async def test_who_asks_meanwhile_gets_what_the_next_finds(counter: Counter) -> None:
    shared = SharedReads()
    first = await ask(shared, counter, 1)
    second = await ask(shared, counter, 100)
    counter.go_on.release()
    assert await asyncio.gather(*first) == [1]
    await until(lambda: counter.reads == 2)
    third = await ask(shared, counter, 100)
    counter.go_on.release()
    assert set(await asyncio.gather(*second)) == {2}
    counter.go_on.release()
    assert set(await asyncio.gather(*third)) == {3}
    counter.go_on.release()
    counter.go_on.release()
    assert await asyncio.gather(*await ask(shared, counter, 2)) == [4, 5]
    assert (shared._under_way, shared._next) == ({}, {})


async def test_who_leaves_is_in_nobodys_way(counter: Counter) -> None:
    shared = SharedReads()
    left, stays = [*await ask(shared, counter, 1), *await ask(shared, counter, 1)]
    left.cancel()
    counter.go_on.release()
    counter.go_on.release()
    assert await stays == 2
    assert (shared._under_way, shared._next) == ({}, {})


async def test_all_who_asked_hear_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("x")

    shared = SharedReads()
    asked = [asyncio.create_task(shared.read("it", fail)) for _ in range(3)]
    assert [type(error) for error in await asyncio.gather(*asked, return_exceptions=True)] == [ValueError] * 3
    assert (shared._under_way, shared._next, june_records(caplog)) == ({}, {}, [])
