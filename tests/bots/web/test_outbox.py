"""Cut lines, servers that are away, and what was not sent yet: nothing that was said is lost, or sent twice."""

import pytest
from playwright.async_api import Page, Route

from tests.support.page_browser import answered, write
from tests.support.page_talk import TalkPage, record, recording
from tests.support.waiting import until

pytestmark = pytest.mark.slow

DRAFT, WAITING = ".turn[data-state=draft]", ".turn[data-state=waiting]"
MESSAGES = "**/api/messages**"


async def cut(route: Route) -> None:
    await route.abort()


async def transcripts(tab: Page) -> list[str]:
    return await tab.locator(".said").all_inner_texts()


async def test_a_cut_line_keeps_what_was_said(tab: Page, june: TalkPage) -> None:
    await tab.context.set_offline(True)
    await tab.locator("#offline").wait_for()
    await record(tab)
    await tab.wait_for_selector(WAITING)
    await write(tab, "And this.")
    assert june.engines.heard == []
    await tab.context.set_offline(False)
    await answered(tab, 2)
    assert await transcripts(tab) == ["Question 1.", "And this."]
    assert not await tab.locator("#offline").is_visible()


async def test_a_line_that_is_cut_while_june_answers_is_taken_up_again(tab: Page, june: TalkPage) -> None:
    june.engines.sentences, june.engines.pause = 4, 0.5
    await write(tab, "Hello")
    await tab.wait_for_selector(".answer:not(:empty)")
    await tab.context.set_offline(True)
    await tab.wait_for_timeout(1500)
    await tab.context.set_offline(False)
    await answered(tab, 1)
    assert "Sentence 4" in await tab.locator(".answer").inner_text()


async def test_a_server_that_ends_and_comes_back_costs_only_time(tab: Page, june: TalkPage) -> None:
    june.engines.pause = 0.3
    await write(tab, "First.")
    await june.stop()
    await record(tab)
    await tab.wait_for_selector(WAITING)
    await june.start()
    await answered(tab, 2)
    assert await transcripts(tab) == ["First.", "Question 1."]
    await write(tab, "Third.")
    await answered(tab, 3)


async def test_a_reload_before_it_was_sent_loses_nothing(tab: Page, june: TalkPage) -> None:
    await tab.route(MESSAGES, cut)
    await record(tab)
    await tab.wait_for_selector(WAITING)
    await write(tab, "And this.")
    await tab.reload()
    await tab.wait_for_selector(WAITING)
    assert june.engines.heard == []
    await tab.unroute(MESSAGES)
    await answered(tab, 2)
    assert await transcripts(tab) == ["Question 1.", "And this."]
    await tab.reload()
    await answered(tab, 2)
    assert await tab.locator(".turn").count() == 2


async def test_what_has_arrived_without_a_word_is_answered_once(tab: Page, june: TalkPage) -> None:
    async def swallow(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await tab.route(MESSAGES, swallow)
    await record(tab)
    await answered(tab, 1)
    await tab.unroute(MESSAGES)
    await write(tab, "Again.")
    await answered(tab, 2)
    assert await transcripts(tab) == ["Question 1.", "Again."]
    assert len(june.engines.heard) == 1


async def test_stop_takes_back_what_was_not_sent(tab: Page, june: TalkPage) -> None:
    await tab.route(MESSAGES, cut)
    await record(tab)
    await tab.wait_for_selector(WAITING)
    await write(tab, "Not this.")
    await tab.locator("#stop").click()
    await tab.wait_for_selector(DRAFT)
    assert await tab.locator("#text").input_value() == "Not this."
    assert await tab.locator(".turn").count() == 1
    await tab.unroute(MESSAGES)
    await tab.reload()
    await tab.wait_for_selector(DRAFT)
    assert june.engines.heard == []
    await tab.locator(".submit").click()
    await answered(tab, 1)


async def test_what_was_on_its_way_when_it_was_stopped_is_refused(tab: Page, june: TalkPage) -> None:
    late: list[Route] = []

    async def hold_back(route: Route) -> None:
        late.append(route)

    await tab.route(MESSAGES, hold_back)
    await record(tab)
    await until(lambda: bool(late))
    await tab.locator("#stop").click()
    await tab.wait_for_selector(DRAFT)
    await tab.unroute(MESSAGES)
    body, headers = late[0].request.post_data_buffer, await late[0].request.all_headers()
    answer = await tab.context.request.post(late[0].request.url, data=body, headers=headers)
    assert answer.status == 410
    await tab.locator(".submit").click()
    await answered(tab, 1)
    assert len(june.engines.heard) == 1


async def test_what_the_server_refuses_is_a_draft_and_a_reason(tab: Page) -> None:
    async def too_large(route: Route) -> None:
        await route.fulfill(status=413)

    await tab.route(MESSAGES, too_large)
    await record(tab)
    await tab.wait_for_selector(DRAFT)
    assert "too large" in await tab.locator("#status").inner_text()
    await write(tab, "Hello")
    await tab.get_by_role("button", name="Send again").wait_for()
    await tab.unroute(MESSAGES)
    await tab.get_by_role("button", name="Send again").click()
    await answered(tab, 1)


async def test_talking_while_the_line_is_cut_keeps_the_order(tab: Page, june: TalkPage) -> None:
    await tab.route(MESSAGES, cut)
    for _ in range(3):
        await tab.locator("#talk").press("Enter")
        await recording(tab, 0.8)
        await tab.locator("#talk").press("Enter")
        await tab.wait_for_timeout(200)
    await tab.unroute(MESSAGES)
    await answered(tab, 3)
    assert len(june.engines.heard) == 3
