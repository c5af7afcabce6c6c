"""What the pages of a chat are told: the same to all, read once, and nothing while nobody listens."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from temporalio.client import Client, Interceptor, OutboundInterceptor, QueryWorkflowInput
from temporalio.testing import WorkflowEnvironment

from activities.values import Notice
from bots.texts.catalogue import say
from bots.web.app import Page
from bots.web.feed import MOST_PENDING, Event, Feed, Feeds
from bots.web.turns import TurnView
from tests.support.logs import june_records
from tests.support.page_client import chat_of, opened, page_of, stream, told, turns
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.names import conversation_id, voice_message_id

CHAT = "0" * 32


class Scripted:
    """Turns that say what a test wants."""

    def __init__(self) -> None:
        self.listed: list[TurnView] = []
        self.reading: list[str] = []
        self.go_on = asyncio.Event()
        self.says: Notice | None = None

    async def last(self, _chat: str) -> list[TurnView]:
        return self.listed

    async def watch(self, _chat: str, message: str) -> AsyncIterator[TurnView]:
        self.reading.append(message)
        try:
            yield TurnView(message=message, stage="infer", says=self.says)
            await self.go_on.wait()
            yield TurnView(message=message, stage="done", done=True)
        finally:
            self.reading.remove(message)


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def feed(scripted: Scripted) -> Feed:
    """A feed of scripted turns."""
    return Feed(scripted, CHAT)  # type: ignore[arg-type] # in the place of Turns


def shown(event: Event) -> list[tuple[str, str]]:
    data = json.loads(event.data)
    return [(view["message"], view["stage"]) for view in data.get("turns", [data])]


async def test_a_turn_is_read_once_for_all_that_listen(feed: Feed, scripted: Scripted) -> None:
    first, second = feed.listen(), feed.listen()
    assert [shown(await anext(first)), shown(await anext(second))] == [[], []]
    for _ in range(3):
        feed.follow("message-1", at=7)
    assert [shown(await anext(one)) for one in (first, second)] == [[("message-1", "infer")]] * 2
    assert scripted.reading == ["message-1"]
    scripted.go_on.set()
    last = [await anext(one) for one in (first, second)]
    assert [shown(one) for one in last] == [[("message-1", "done")]] * 2
    assert json.loads(last[0].data)["at"] == 7


async def test_nothing_is_read_for_nobody(feed: Feed, scripted: Scripted) -> None:
    feed.follow("message-1")
    await asyncio.sleep(0)
    assert scripted.reading == []
    page = feed.listen()
    await anext(page)
    feed.follow("message-1")
    await anext(page)
    assert scripted.reading == ["message-1"]
    await page.aclose()
    await until(lambda: not scripted.reading)


async def test_a_page_that_comes_late_has_what_is_under_way(feed: Feed, scripted: Scripted) -> None:
    first = feed.listen()
    await anext(first)
    feed.follow("message-2")
    await anext(first)
    scripted.listed = [TurnView(message="message-1", stage="done", done=True, at=1)]
    assert shown(await anext(feed.listen())) == [("message-1", "done"), ("message-2", "infer")]


async def test_turns_that_came_by_another_way_are_found_and_followed(feed: Feed, scripted: Scripted) -> None:
    scripted.listed = [TurnView(message="message-1", at=3)]
    page = feed.listen()
    assert shown(await anext(page)) == [("message-1", "line")]
    event = await anext(page)
    assert (shown(event), json.loads(event.data)["at"]) == ([("message-1", "infer")], 3)


async def test_a_turn_that_temporal_does_not_list_yet_is_found(scripted: Scripted) -> None:
    feeds = Feeds(scripted)  # type: ignore[arg-type] # in the place of Turns
    feeds.follow(CHAT, "message-1")
    feeds.follow("1" * 32, "message-2")
    page = feeds.feed(CHAT).listen()
    assert shown(await anext(page)) == []
    assert shown(await anext(page)) == [("message-1", "infer")]


async def test_a_slow_page_has_the_last_view_of_each_turn_and_no_endless_line(feed: Feed) -> None:
    page = feed.listen()
    await anext(page)
    for number in range(1000):
        feed.tell(Event("turn", str(number)), "turn message-1")
    assert (await anext(page)).data == "999"
    for number in range(1000):
        feed.tell(Event("said", str(number)), f"said {number}")
    assert (await anext(page)).data == str(1000 - MOST_PENDING)


async def test_after_clearing_nothing_of_before_is_told(feed: Feed, scripted: Scripted) -> None:
    page = feed.listen()
    await anext(page)
    feed.follow("message-1")
    await until(lambda: bool(feed._views))
    feed.clear()
    assert (await anext(page)).name == "cleared"
    scripted.go_on.set()
    await until(lambda: not scripted.reading)
    feed.follow("message-2")
    assert shown(await anext(page))[0][0] == "message-2"


async def test_a_turn_that_cannot_be_read_is_recorded(feed: Feed, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> AsyncIterator[TurnView]:
        raise ValueError("scripted")

    feed._turns.watch = broken  # type: ignore[assignment] # it breaks
    page = feed.listen()
    await anext(page)
    feed.follow("message-1")
    await until(lambda: not feed._readers)
    assert [record.getMessage() for record in june_records(caplog)] == ["message message-1 is not shown any further"]


async def test_each_who_listens_reads_in_a_language_of_its_own(feed: Feed, scripted: Scripted) -> None:
    notice = Notice(key="internal")
    scripted.listed = [TurnView(message="message-0", done=True, says=notice)]
    listening = {language: feed.listen(language) for language in ("de", "xx", None)}
    for language, page in listening.items():
        (view,) = json.loads((await anext(page)).data)["turns"]
        assert (view["notice"], "says" in view) == (say(notice, language), False)
    scripted.says = notice
    feed.follow("message-1")
    for language, page in listening.items():
        assert json.loads((await anext(page)).data)["notice"] == say(notice, language)
    assert scripted.reading == ["message-1"]
    assert say(notice, "de") != say(notice, None) == say(notice, "xx")


async def test_a_chat_has_one_feed_while_somebody_listens(scripted: Scripted) -> None:
    feeds = Feeds(scripted)  # type: ignore[arg-type] # in the place of Turns
    feed = feeds.feed(CHAT)
    assert feeds.feed(CHAT) is feeds.of(CHAT) is feed
    assert feeds.of("1" * 32) is None


async def test_a_question_asked_in_one_tab_is_seen_in_all(page: Page, world: World) -> None:
    asking = await opened(page)
    async with stream(asking) as other_tab:
        assert await anext(other_tab) == ("turns", {"turns": []})
        await asking.post("/api/messages?id=message-1", json={"text": "hello"})
        await told(asking, "message-1")
        seen = [data async for name, data in closing_with_done(other_tab) if name == "turn"]
    assert {view["message"] for view in seen} == {"message-1"}
    assert seen[-1]["answer"] == "You said hello. That is all."


async def closing_with_done(
    events: AsyncIterator[tuple[str, dict[str, object]]],
) -> AsyncIterator[tuple[str, dict[str, object]]]:
    async for name, data in events:
        yield name, data
        if data.get("done"):
            return


async def test_settings_lines_and_deletions_are_told_to_all_tabs(page: Page, world: World) -> None:
    client = await opened(page)
    async with stream(client, "de") as other_tab:
        await anext(other_tab)
        await client.post("/api/messages?id=message-1&language=de", json={"text": "/voice always"})
        (said, line), (name, settings) = await anext(other_tab), await anext(other_tab)
        assert (said, line["id"], line["command"], name) == ("said", "message-1", "voice", "settings")
        assert (line["text"], settings["reply_mode"]) == (say(Notice(key="voice-always"), "de"), "always")
        await client.post("/api/messages?id=message-2", json={"text": "/forget"})
        assert [(await anext(other_tab))[0] for _ in range(3)] == ["cleared", "said", "settings"]


async def test_a_failed_command_deletes_nothing(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_inbound: object) -> str:
        return "I can't do that right now. Please try again in a moment."

    client = await opened(page)
    monkeypatch.setattr(page.inbox, "receive", away)
    async with stream(client) as tab:
        await anext(tab)
        await client.post("/api/messages?id=message-1", json={"text": "/forget"})
        assert (await anext(tab))[0] == "said"


async def test_a_stream_costs_nothing_while_all_is_answered(
    page: Page, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    look = page.turns._look

    async def counted(chat: str, message: str) -> TurnView | None:
        looks.append(message)
        return await look(chat, message)

    monkeypatch.setattr(page.turns, "_look", counted)
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    client = await opened(page)
    async with stream(client) as events:
        await anext(events)
        await client.post("/api/messages?id=message-1", json={"text": "hello"})
        await until(lambda: len(looks) > 2)
        go_on.set()
        await told(client, "message-1")
        await until(lambda: not page.feeds.feed(chat_of(page, client))._readers)
        seen = len(looks)
        await asyncio.sleep(0.5)
        assert len(looks) == seen
        await client.post("/api/messages?id=message-1", json={"text": "hello"})  # known, and answered
        assert (await turns(client))[-1]["done"]


class Queries(Interceptor):
    """Counts queries, in all and at once, by workflow and kind."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.under_way: Counter[tuple[str, str]] = Counter()
        self.most_at_once = 0

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's signature
        counts = self

        class Counting(OutboundInterceptor):
            async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002, ANN401 - the SDK's
                what = (input.id, input.query)
                counts.asked[what] += 1
                counts.under_way[what] += 1
                counts.most_at_once = max(counts.most_at_once, counts.under_way[what])
                try:
                    return await super().query_workflow(input)
                finally:
                    counts.under_way[what] -= 1

        return Counting(next)


@pytest.mark.slow
async def test_a_hundred_who_listen_ask_temporal_as_one_does(dev_server: WorkflowEnvironment, world: World) -> None:
    queries = Queries()
    config = dev_server.client.config()
    config["interceptors"] = [queries]
    page = page_of(Client(**config))
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    client = await opened(page)
    chat = chat_of(page, client)
    await client.post("/api/messages?id=message-1", json={"text": "hello"})
    await client.post("/api/messages?id=message-2", json={"text": "hello again"})
    await until(lambda: bool(world.asked("infer")))

    async def listen(language: str | None) -> list[TurnView]:
        told = []
        async with aclosing(page.feeds.feed(chat).listen(language)) as events:
            async for event in events:
                data = json.loads(event.data)
                told += [TurnView(**view) for view in data.get("turns", [data])]
                ended = {view.message for view in told if view.done}
                if ended == {"message-1", "message-2"}:
                    return told
        raise AssertionError("it has no end")

    queries.asked.clear()
    languages = ["en", "de", "es", "fr", None, "xx"]
    listening = [asyncio.create_task(listen(languages[number % len(languages)])) for number in range(100)]
    settings = [asyncio.create_task(client.post("/api/session", json={})) for _ in range(100)]
    await asyncio.gather(*settings)
    turn, conversation = voice_message_id("web", chat, "message-1"), conversation_id("web", chat)
    await until(lambda: queries.asked[turn, "progress"] > 3)
    go_on.set()
    told = await asyncio.gather(*listening)
    assert len(told) == 100
    assert queries.most_at_once == 1
    assert queries.asked[conversation, "settings"] < 50
