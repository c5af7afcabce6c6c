"""``/cancel`` at many moments of a turn: it is answered and remembered, or stopped and said to be; never both."""

import asyncio

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.infer import InferRequest
from activities.reply import ReplyRequest
from activities.synthesize import SynthesizeRequest
from tests.support.conversation import Chat
from tests.support.waiting import until
from tests.support.world import World
from workflows.voice.conversation import Conversation

pytestmark = pytest.mark.slow

ANSWER = "You said hello. That is all."
MOMENTS = 41
STEP_SECONDS = 0.02
STAGE_SECONDS = 0.2
"""What each of three stages takes: the moments reach from the first to after the last."""


@pytest.fixture(scope="module")
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


async def _take_a_while(asked: InferRequest | SynthesizeRequest | ReplyRequest) -> None:
    if getattr(asked, "notice", None):
        return
    until_then = asyncio.get_running_loop().time() + STAGE_SECONDS
    while asyncio.get_running_loop().time() < until_then:
        activity.heartbeat()
        await asyncio.sleep(0.02)


@pytest.fixture
def world(workers: World) -> World:
    workers.reset()
    workers.behaviours = dict.fromkeys(("infer", "synthesize", "reply"), _take_a_while)
    return workers


async def test_each_turn_is_answered_or_stopped(client: Client, world: World) -> None:
    outcomes = []
    for moment in range(MOMENTS):
        world.calls.clear()
        outcomes.append(await _cancel_after(client, world, moment * STEP_SECONDS))
    print(f"{outcomes.count('answered')} answered, {outcomes.count('stopped')} stopped")  # noqa: T201
    assert set(outcomes) == {"answered", "stopped"}, "the moments reach from one to the other"


@pytest.mark.parametrize("stage", ["synthesize", "reply"])
async def test_at_the_very_beginning_of_a_stage(client: Client, world: World, stage: str) -> None:
    for _ in range(10):
        world.calls.clear()
        await _cancel_after(client, world, 0, stage)


async def _cancel_after(client: Client, world: World, seconds: float, stage: str = "infer") -> str:
    """Cancel so many seconds after a stage has begun; see that what is said and what is remembered agree."""
    chat = Chat(client)
    await chat.send("hello", spoken=True)
    await until(lambda: bool(world.asked(stage)))
    await asyncio.sleep(seconds)
    stopped = await chat.handle.execute_update(Conversation.cancel)
    result = await chat.result("1")
    sent = world.asked("reply")
    assert len(sent) == 1, "the answer or the notice"
    assert bool(sent[0].notice) is (result.status == "stopped")
    if result.status == "answered":
        assert (sent[0].text, result.answer) == (ANSWER, ANSWER)
    assert stopped == (result.status == "stopped"), "what /cancel says of it"

    async def remembered() -> bool:
        window = (await chat.handle.query(Conversation.history)).window
        return [exchange.user for exchange in window] == ["hello"]

    await until(remembered)
    await chat.handle.terminate()
    return result.status
