"""One notice to those who wait in line: only where the wait is long, and gone when it is over."""

import asyncio

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.support.conversation import Chat, contents
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.voice.queue_notice import NOTICE_DELAY


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


async def test_quick_texts_are_answered_in_order_without_a_notice(world: World, chat: Chat) -> None:
    for said in "abcdef":
        await chat.send(said, accompanied=True)
    assert (await chat.result("6")).status == "answered"
    assert [contents(request)[-1] for request in world.asked("infer")] == list("abcdef")
    assert world.notices() == []


@pytest.mark.slow
@pytest.mark.parametrize("accompanied", [True, False])
async def test_a_long_wait_is_told_once_and_taken_back(world: World, chat: Chat, accompanied: bool) -> None:
    gate = asyncio.Event()
    world.behaviours["infer"] = wait_for(gate)
    for said in "abcdef":
        await chat.send(said, accompanied=accompanied)
    await until(lambda: bool(world.notices()), NOTICE_DELAY.total_seconds() + 20)
    await chat.send("g", accompanied=accompanied)
    gate.set()
    assert (await chat.result("7")).status == "answered"
    (told,) = [request for request in world.asked("reply") if request.notice]
    assert (told.to.message, told.notice.key, told.notice.params) == ("6", "queued", {"ahead": 5, "position": 6})
    if accompanied:
        await until(lambda: bool(world.asked("retract")))
        ((to, message),) = [(request.to.message, request.message) for request in world.asked("retract")]
        assert (to, message) == ("6", "1")
        answered = [name for name, request in world.calls if name == "retract" or (name == "reply" and request.text)]
        assert answered.index("retract") >= 5, "when its turn has come"
    else:
        assert world.asked("retract") == [], "the platform takes nothing back"
