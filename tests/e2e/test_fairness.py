"""A chat that floods passes another's message at most once in a queue: one slot for the engines, one second an answer.

What is asserted is the order in which histories tell that activities started: how long they take is the machine's.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from bots.intake import accept
from tests.support.chat import PLATFORM, Chat, Ran, activities_of
from tests.support.encryption import opened_history
from tests.support.model_server import Script, chunk, end, model_server
from tests.workers.conftest import prepared_home
from workers.local.free_ports import own_ports
from workers.local.stack import Embedded
from workers.settings import PROJECT, LlmSettings, WorkerSettings
from workflows.names import CHAT, GPU_QUEUE, Stage, chat_key
from workflows.voice.contracts import ChatSettings, Limits, ReplyMode, VoiceMessageRequest

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

QUESTION = PROJECT / "tests" / "data" / "living_room_light_en.wav"
IN_WRITING = ChatSettings(reply_mode=ReplyMode.OFF)
ANSWER_SECONDS = 1.0
FLOOD = 100
OTHERS = 12
"""Chats that say one thing each, at moments spread over the flood's turns and summaries."""


@pytest.fixture(scope="module")
async def slow(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """Everything, with one slot for a model that takes a second an answer."""
    storage = prepared_home(tmp_path_factory.mktemp("slow") / "home")
    async with model_server() as model:
        model.plays(Script(pieces=[ANSWER_SECONDS, chunk(content="It is so."), end()]))
        llm = LlmSettings(base_url=model.url, model="double")
        async with Embedded(storage, own_ports(), llm, WorkerSettings(gpu_slots=1), optional=()) as stack:
            yield stack


class Flooding(Chat):
    """A chat without limits, which is spoken in or written in, and answered in writing."""

    def __init__(self, stack: Embedded, *, spoken: bool) -> None:
        super().__init__(stack)
        self.client = stack.client
        self.spoken = spoken

    async def say(self) -> str:
        if self.spoken:
            return await self.send(QUESTION.read_bytes())
        message = uuid4().hex
        request = VoiceMessageRequest(platform="file", chat=self.name, message=message, text="Is it so?")
        await accept(self.client, request)
        return message


async def begun(chat: Flooding) -> list[Ran]:
    """List what a chat's workflows have had of the engines, and have now."""
    query = f"{CHAT.name} = '{chat_key(PLATFORM, chat.name)}'"
    found = [
        chat.client.get_workflow_handle(run.id, run_id=run.run_id) async for run in chat.client.list_workflows(query)
    ]
    ran = [activity for handle in found for activity in activities_of(await opened_history(handle))]
    return [activity for activity in ran if activity.queue == GPU_QUEUE and activity.started]


@pytest.mark.parametrize("spoken", [False, True], ids=["written", "spoken"])
async def test_a_flood_delays_others_by_at_most_one_turn(slow: Embedded, *, spoken: bool) -> None:
    flood = Flooding(slow, spoken=spoken)
    await flood.open(IN_WRITING, Limits(waiting=FLOOD, messages_per_minute=10 * FLOOD))
    messages = [await flood.say() for _ in range(FLOOD)]
    others = [Flooding(slow, spoken=spoken) for _ in range(OTHERS)]
    for number, other in enumerate(others):
        await other.open(IN_WRITING)
        assert (await other.result(await other.say())).status == "answered"
        await asyncio.sleep(ANSWER_SECONDS * number / OTHERS)
    for message in messages[:OTHERS]:
        assert (await flood.result(message)).status == "answered", "the flood is served meanwhile"
    answers = [activity.started for activity in await begun(flood) if activity.name == Stage.INFER]
    await flood.conversation.terminate("the flood is over")
    assert len(answers) >= OTHERS
    for other in others:
        waits = {activity.name: (activity.scheduled, activity.started) for activity in await begun(other)}
        assert Stage.INFER in waits
        passed = {stage: sum(since < answer < until for answer in answers) for stage, (since, until) in waits.items()}
        # One may begin in the moment between the history's event and the queue's taking it in.
        assert max(passed.values()) <= 1, f"answers to the flood that began while this chat's message waited: {passed}"
