"""A conversation's running summary: taken when nobody speaks, and given up when somebody does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.infer import Inference, InferRequest
from tests.support.waiting import until
from tests.support.world import PLATFORM, World
from workflows.names import WORKFLOW_QUEUE, conversation_id
from workflows.voice.contracts import ConversationState, Exchange, Memory, VoiceMessageRequest
from workflows.voice.conversation import Conversation
from workflows.voice.memory import WINDOW_TURNS

FULL = Memory(window=tuple(Exchange(user=f"hello {number}", assistant="hi") for number in range(WINDOW_TURNS)))


class Chat:
    """A chat whose next turn makes a summary due."""

    def __init__(self, client: Client, world: World) -> None:
        self.world = world
        self.client = client
        self.name = uuid4().hex[:12]
        self.summarising = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.given_up = 0
        world.behaviours["infer"] = self.infer

    async def infer(self, request: InferRequest) -> Inference | None:
        if not request.background or request.prompt_only:
            return None
        self.summarising.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return Inference(answer="They greeted.", sentences=(), model="m", finish_reason="stop")

    @property
    def handle(self) -> WorkflowHandle[Conversation, None]:
        return self.client.get_workflow_handle_for(Conversation.run, conversation_id(PLATFORM, self.name))

    async def open(self, **state: object) -> None:
        given = ConversationState.model_validate({"platform": PLATFORM, "chat": self.name, "memory": FULL} | state)
        await self.client.start_workflow(
            Conversation.run, given, id=conversation_id(PLATFORM, self.name), task_queue=WORKFLOW_QUEUE
        )

    async def say(self, said: str) -> None:
        """Say something; return once it is answered."""
        answered = len(self.world.answers())
        await self.handle.signal(
            Conversation.message, VoiceMessageRequest(platform=PLATFORM, chat=self.name, message=said, text=said)
        )
        await until(lambda: len(self.world.answers()) > answered)

    async def memory(self) -> Memory:
        return await self.handle.query(Conversation.history)

    async def summarised(self) -> bool:
        return bool((await self.memory()).summary)


@pytest.fixture
async def chat(client: Client, world: World) -> AsyncIterator[Chat]:
    chat = Chat(client, world)
    yield chat
    chat.may_end.set()
    with suppress(RPCError):
        await chat.handle.terminate()


async def test_old_turns_become_a_summary(chat: Chat) -> None:
    await chat.open()
    await chat.say("too-many")
    await until(chat.summarised)
    await until(lambda: chat.world.asked("infer")[-1].prompt_only)
    ahead = chat.world.asked("infer")[-1]
    await chat.say("now")
    prompt = [asked for asked in chat.world.asked("infer") if not asked.background][-1]
    assert "They greeted." in prompt.messages[0].content
    assert len(prompt.messages) <= 2 * WINDOW_TURNS + 2
    assert len([asked for asked in chat.world.asked("infer") if asked.background]) == 1 + 1
    assert ahead.messages[:-1] == prompt.messages[:-1]  # so that the server has read it


@pytest.mark.slow
async def test_a_summary_is_given_up_when_somebody_speaks_and_taken_again(chat: Chat) -> None:
    chat.may_end.clear()
    await chat.open()
    await chat.say("too-many")
    await asyncio.wait_for(chat.summarising.wait(), 20)
    chat.summarising.clear()
    await chat.say("more")  # answered although the summary has not ended
    await until(lambda: chat.given_up == 1)
    assert not (await chat.memory()).summary
    await asyncio.wait_for(chat.summarising.wait(), 20)
    chat.may_end.set()
    await until(chat.summarised)
    window = (await chat.memory()).window
    assert [exchange.user for exchange in window[-2:]] == ["too-many", "more"]


async def test_a_run_that_ends_gives_it_up_and_the_next_one_takes_it(chat: Chat) -> None:
    chat.may_end.clear()
    await chat.open(turns_per_run=2)
    before = (await chat.handle.describe()).run_id
    await chat.say("one")
    await asyncio.wait_for(chat.summarising.wait(), 20)
    await chat.say("two")

    async def continued() -> bool:
        return (await chat.handle.describe()).run_id != before

    await chat.handle.signal(
        Conversation.message, VoiceMessageRequest(platform=PLATFORM, chat=chat.name, message="three", text="three")
    )
    await until(continued)
    chat.may_end.set()
    await until(chat.summarised)


async def test_a_reset_conversation_keeps_no_summary_of_what_was_forgotten(chat: Chat) -> None:
    chat.may_end.clear()
    await chat.open()
    await chat.say("too-many")
    await asyncio.wait_for(chat.summarising.wait(), 20)
    await chat.handle.execute_update(Conversation.reset)
    chat.may_end.set()
    await chat.say("afresh")

    async def remembers() -> bool:
        return bool((await chat.memory()).window)

    await until(remembers)
    memory = await chat.memory()
    assert (memory.summary, [exchange.user for exchange in memory.window]) == ("", ["afresh"])
