"""Recordings in the browser: they survive reloads, crashes, full disks and other tabs, in a real Chromium."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.support.page_browser import launched
from tests.support.static_page import imported, static_page
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    async with static_page() as url:
        yield url


@pytest.fixture
async def tabs(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser profile of its own."""
    async with await browser.new_context() as context:
        yield context


async def opened(context: BrowserContext, url: str) -> Page:
    """A tab with the store in ``store``."""
    page = await context.new_page()
    await again(page, url)
    return page


async def again(page: Page, url: str) -> None:
    await imported(page, url, "takes", "pcm")
    await page.evaluate("async () => { window.store = await june.openTakes(); }")


async def record(page: Page, take: str, *, at: int = 1000, pieces: int = 2, state: str | None = None) -> None:
    """Record pieces of a second each, noise that begins with 1, 2, ...; finish the take where a state is named."""
    await page.evaluate(
        """async ([id, at, pieces, state]) => {
            store.add({ id, at });
            for (let piece = 1; piece <= pieces; piece++) {
                const noise = crypto.getRandomValues(new Int16Array(16000)); // no disk can make it smaller
                noise[0] = piece;
                store.append(id, noise);
            }
            if (state) store.finish(id, { seconds: pieces, peaks: Array(44).fill(0.5), state });
            await store.list();
        }""",
        [take, at, pieces, state],
    )


async def listed(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("() => store.list()")
    return found


async def names(page: Page) -> list[str]:
    return [take["id"] for take in await listed(page)]


async def sound(page: Page, take: str) -> list[int] | None:
    """The samples of a take, one of each second."""
    script = """async id => {
        const take = await store.get(id);
        return take && Array.from({ length: take.pcm.length / 16000 }, (_, second) => take.pcm[16000 * second]);
    }"""
    found: list[int] | None = await page.evaluate(script, take)
    return found


async def test_a_take_is_kept_over_a_reload(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await record(page, "first", state="waiting")
    await again(page, url)
    (take,) = await listed(page)
    assert take == {
        "id": "first",
        "at": 1000,
        "seconds": 2,
        "peaks": [0.5] * 44,
        "state": "waiting",
        "interrupts": None,
        "lasting": True,
    }
    assert await sound(page, "first") == [1, 2]
    assert await page.evaluate("store.lasting")


async def test_a_take_says_what_it_interrupts(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await page.evaluate("store.add({ id: 'over', at: 5, interrupts: 'turn-7' })")
    (take,) = await listed(page)
    assert (take["interrupts"], take["state"], take["seconds"]) == ("turn-7", "recording", 0)


async def test_a_piece_is_stored_without_what_it_is_a_view_of(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    length = await page.evaluate(
        """async () => {
            await store.add({ id: "view", at: 1 });
            await store.append("view", new Int16Array(1e6).subarray(10, 20));
            return (await store.get("view")).pcm.buffer.byteLength;
        }"""
    )
    assert length == 20


async def test_what_a_reloaded_page_was_recording_is_a_draft(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await record(page, "cut", pieces=3)
    await again(page, url)
    (take,) = await listed(page)
    assert (take["state"], take["seconds"], len(take["peaks"])) == ("draft", 3, 44)
    assert min(take["peaks"]) > 0.9
    assert await sound(page, "cut") == [1, 2, 3]


async def test_what_a_crashed_page_was_recording_is_a_draft(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await record(page, "crash")
    crashed: list[Page] = []
    page.on("crash", lambda page: crashed.append(page))
    session = await tabs.new_cdp_session(page)
    crash = asyncio.create_task(session.send("Page.crash"))  # never answered
    await until(lambda: crashed)
    crash.cancel()
    other = await opened(tabs, url)

    async def is_draft() -> bool:
        return [take["state"] for take in await listed(other)] == ["draft"]

    await until(is_draft)  # the browser lets go of the page's lock in its own time
    assert await sound(other, "crash") == [1, 2]


async def test_a_page_that_died_before_anything_was_said_leaves_nothing(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await page.evaluate("store.add({ id: 'short', at: 1 }).then(() => store.append('short', new Int16Array(4000)))")
    await again(page, url)
    assert await listed(page) == []
    assert await sound(page, "short") is None


async def test_tabs_share_the_store(tabs: BrowserContext, url: str) -> None:
    page, other = await opened(tabs, url), await opened(tabs, url)
    await record(page, "one", at=2000, state="draft")
    await record(other, "other", at=1000)
    await other.evaluate("store.setState('one', 'sent')")
    assert await listed(page) == await listed(other)
    assert [(take["id"], take["state"]) for take in await listed(page)] == [("other", "recording"), ("one", "sent")]


async def test_what_another_tab_removed_does_not_come_back(tabs: BrowserContext, url: str) -> None:
    page, other = await opened(tabs, url), await opened(tabs, url)
    await record(page, "gone")
    await other.evaluate("store.clear()")
    later = """async () => [
        await store.append("gone", new Int16Array(16000)),
        await store.finish("gone", { seconds: 3, peaks: [], state: "waiting" }),
        await store.setState("gone", "sent"),
        await store.get("gone"),
    ]"""
    assert await page.evaluate(later) == [False, False, False, None]
    assert await names(page) == await names(other) == []


async def test_a_take_is_removed_with_its_sound(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await record(page, "one", state="sent")
    await record(page, "other", state="sent")
    await page.evaluate("store.remove('one')")
    assert (await names(page), await sound(page, "one"), await sound(page, "other")) == (["other"], None, [1, 2])
    await page.evaluate("store.add({ id: 'one', at: 3 })")
    assert await sound(page, "one") == []


async def test_an_id_is_taken_once(tabs: BrowserContext, url: str) -> None:
    page, other = await opened(tabs, url), await opened(tabs, url)
    await record(page, "same")
    refused = "store.add({ id: 'same', at: 9 }).then(() => 'added', () => 'refused')"
    assert [await tab.evaluate(refused) for tab in (page, other)] == ["refused", "refused"]
    await page.evaluate("store.setState('same', 'draft')")
    assert [await tab.evaluate(refused) for tab in (page, other)] == ["refused", "refused"]
    assert await sound(page, "same") == [1, 2]


async def test_fifty_takes_are_kept_the_oldest_sent_go_first(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await page.evaluate(
        """async () => {
            for (let at = 0; at < 53; at++) {
                await store.add({ id: `take-${at}`, at });
                await store.setState(`take-${at}`, at % 2 ? "sent" : "waiting");
            }
        }"""
    )
    gone = {"take-1", "take-3", "take-5"}
    assert await names(page) == [name for at in range(53) if (name := f"take-{at}") not in gone]


async def test_what_was_not_sent_stays_over_the_limits(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await page.evaluate(
        """async () => {
            for (let at = 0; at < 52; at++) await store.add({ id: `take-${at}`, at });
            await store.setState("take-50", "sent");
        }"""
    )
    assert await names(page) == [f"take-{at}" for at in range(52) if at != 50]


async def test_a_hundred_megabytes_are_kept(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await page.evaluate(
        """async () => {
            for (let at = 0; at < 4; at++) {
                await store.add({ id: `take-${at}`, at });
                await store.append(`take-${at}`, new Int16Array(15e6));
                await store.finish(`take-${at}`, { seconds: 937.5, peaks: [], state: at ? "sent" : "waiting" });
            }
        }"""
    )
    assert await names(page) == ["take-0", "take-2", "take-3"]


@asynccontextmanager
async def limited(page: Page, url: str, size: int) -> AsyncIterator[None]:
    """Leave the page so many bytes of the disk; from its first write on, as Chromium remembers what was left."""
    session = await page.context.new_cdp_session(page)
    await session.send("Storage.overrideQuotaForOrigin", {"origin": url.rstrip("/"), "quotaSize": size})
    yield
    await session.detach()


async def test_where_there_is_no_room_sent_takes_go(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    async with limited(page, url, 2_000_000):
        await record(page, "waiting", at=1, pieces=5, state="waiting")
        await record(page, "sent", at=2, pieces=5, state="sent")
        await record(page, "new", at=3, pieces=150, state="waiting")
        assert await names(page) == ["waiting", "new"]
        assert await sound(page, "new") == list(range(1, 151))


async def test_where_there_is_no_room_at_all_a_take_lasts_as_long_as_the_page(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    async with limited(page, url, 2_000_000):
        await record(page, "waiting", at=1, pieces=5, state="waiting")
        await record(page, "new", at=2, pieces=150, state="draft")
        assert [(take["id"], take["state"], take["lasting"]) for take in await listed(page)] == [
            ("waiting", "waiting", True),
            ("new", "draft", False),
        ]
        assert await sound(page, "new") == list(range(1, 151))
        assert await sound(page, "waiting") == list(range(1, 6))
        await again(page, url)
        kept, cut = await listed(page)
        assert (kept["state"], kept["seconds"], cut["id"], cut["state"]) == ("waiting", 5, "new", "draft")
        assert await sound(page, "new") == list(range(1, 1 + cut["seconds"]))


async def test_a_take_that_had_no_room_is_gone_once_it_is_sent(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    async with limited(page, url, 2_000_000):
        await record(page, "new", pieces=150, state="waiting")
        other = await opened(tabs, url)
        assert [take["state"] for take in await listed(other)] == ["recording"]
        await page.evaluate("store.setState('new', 'sent')")
        assert await names(other) == []
        assert await sound(page, "new") == list(range(1, 151))
        await page.evaluate("store.remove('new')")
        assert await names(page) == []


@asynccontextmanager
async def refused(context: BrowserContext) -> AsyncIterator[None]:
    """Have the browser refuse IndexedDB, as some do in private windows."""
    await context.add_init_script(
        "indexedDB.open = () => { throw new DOMException('not in this window', 'SecurityError'); }"
    )
    yield


async def test_where_the_browser_refuses_the_store_is_the_page_memory(tabs: BrowserContext, url: str) -> None:
    async with refused(tabs):
        page = await opened(tabs, url)
        await record(page, "one", at=2, state="waiting")
        await record(page, "other", at=1)
        assert not await page.evaluate("store.lasting")
        assert await names(page) == ["other", "one"]
        assert await sound(page, "one") == [1, 2]
        await page.evaluate("store.remove('one')")
        assert await names(page) == ["other"]
        await page.evaluate("store.clear()")
        assert await names(page) == []


async def test_deleted_site_data_are_no_end(tabs: BrowserContext, url: str) -> None:
    page = await opened(tabs, url)
    await record(page, "one", state="sent")
    session = await tabs.new_cdp_session(page)
    await session.send("Storage.clearDataForOrigin", {"origin": url.rstrip("/"), "storageTypes": "indexeddb"})
    await record(page, "other", state="sent")
    assert await names(page) == ["other"]
    assert await sound(page, "other") == [1, 2]
