"""A chat that floods delays another's message by at most one turn: one slot for the model, one second an answer."""

import asyncio
from collections.abc import AsyncIterator
from statistics import median
from uuid import uuid4

import pytest

from bots.intake import accept
from tests.e2e.chat import Chat
from tests.model_server_double import Script, chunk, end, model_server
from tests.workers.conftest import prepared_home
from workers.embedded import Embedded
from workers.ports import own_ports
from workers.settings import PROJECT, LlmSettings, WorkerSettings
from workflows.contracts import ChatSettings, Limits, ReplyMode, VoiceMessageRequest

pytestmark = [pytest.mark.e2e, pytest.mark.engines]

QUESTION = PROJECT / "tests" / "data" / "living_room_light_en.wav"
IN_WRITING = ChatSettings(reply_mode=ReplyMode.OFF)
ANSWER_SECONDS = 1.0
FLOOD = 100
OTHERS = 12
"""Chats that say one thing each, at moments spread over the flood's turns and summaries."""
SCHEDULING_SECONDS = 0.5
"""For all that is not the model, on a busy machine."""


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


async def one(stack: Embedded, *, spoken: bool) -> float:
    """Say one thing in a new chat, and read from the turn's history how long it took, in seconds."""
    chat = Flooding(stack, spoken=spoken)
    await chat.open(IN_WRITING)
    message = await chat.say()
    assert (await chat.result(message)).status == "answered"
    events = (await chat.turn(message).fetch_history()).events
    return (events[-1].event_time.ToMicroseconds() - events[0].event_time.ToMicroseconds()) / 1e6


@pytest.mark.parametrize("spoken", [False, True], ids=["written", "spoken"])
async def test_a_flood_delays_others_by_at_most_one_turn(slow: Embedded, *, spoken: bool) -> None:
    alone = median([await one(slow, spoken=spoken) for _ in range(3)])
    assert alone >= ANSWER_SECONDS
    flood = Flooding(slow, spoken=spoken)
    limits = Limits(waiting=FLOOD, messages_per_minute=10 * FLOOD)
    await flood.open(IN_WRITING, limits)
    messages = [await flood.say() for _ in range(FLOOD)]
    waits = []
    for _ in range(OTHERS):
        waits.append(await one(slow, spoken=spoken))
        await asyncio.sleep(0.3 * ANSWER_SECONDS)
    for message in messages[:OTHERS]:
        assert (await flood.result(message)).status == "answered", "the flood is served meanwhile"
    await flood.conversation.terminate("the flood is over")
    assert max(waits) <= 2 * alone + SCHEDULING_SECONDS, f"alone {alone:.2f} s, beside a flood {sorted(waits)}"
