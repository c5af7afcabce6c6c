"""The activity ``accompany``, beside a real turn: the text is shown as it is written, and nothing is shown twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import accompany
from activities.accompany import ShowProgressActivity
from activities.infer import Inference, InferRequest, Sentence, Thinking
from activities.values import Address
from bots.texts.catalogue import say
from tests.support.waiting import until
from tests.support.world import HEARTBEAT_TIMEOUT, World, running, wait_for
from workflows.names import WORKFLOW_QUEUE, platform_queue
from workflows.voice.contracts import ReplyMode, VoiceMessageRequest, VoiceMessageResult
from workflows.voice.voice_message import VoiceMessage


class Shows:
    """A platform that shows turns: what was asked of it, and how it fails."""

    def __init__(self) -> None:
        self.begun: list[tuple[Address, bool, str | None]] = []
        self.shown: str | None = None
        self.texts: list[str] = []
        self.told: list[str] = []
        self.present = 0
        self.when_entered: list[Exception] = []
        self.when_shown: list[Exception] = []

    @asynccontextmanager
    async def presence(
        self, to: Address, *, speaks: bool, captioned: bool, shown: str | None
    ) -> AsyncIterator["Shows"]:
        assert not captioned
        self.begun.append((to, speaks, shown))
        if self.when_entered:
            raise self.when_entered.pop()
        self.shown = shown
        self.present += 1
        try:
            yield self
        finally:
            self.present -= 1

    async def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    async def show(self, text: str) -> None:
        if not self.texts or self.texts[-1] != text:
            self.texts.append(text)
        self.shown = self.shown or f"m{len(self.begun)}"
        if self.when_shown and len(self.texts) > 1:
            raise self.when_shown.pop()


class Stage:
    """A platform of its own whose turns wait for ``finish`` to be set."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.platform = f"p{uuid4().hex[:12]}"
        self.shows = Shows()
        self.world = World()
        self.finish = asyncio.Event()
        self.world.behaviours["infer"] = self.infer

    async def infer(self, asked: InferRequest) -> Inference:
        await wait_for(self.finish)(asked)
        sentences = ("One.", "Two.", "Three.")
        return Inference(answer=" ".join(sentences), sentences=sentences, model="m", finish_reason="stop")

    async def turn(self, mode: ReplyMode = ReplyMode.ON) -> WorkflowHandle[VoiceMessage, VoiceMessageResult]:
        given = {"platform": self.platform, "chat": "1", "text": "hi", "accompanied": True}
        request = VoiceMessageRequest.model_validate(given | {"settings": {"reply_mode": mode}})
        turn_id = f"turn-{self.platform}"
        return await self.client.start_workflow(VoiceMessage.run, request, id=turn_id, task_queue=WORKFLOW_QUEUE)


@pytest.fixture
async def stage(dev_server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(accompany, "POLL_SECONDS", 0.05)
    stage = Stage(dev_server.client)
    queue = platform_queue(stage.platform)
    activities: list[Callable[..., object]] = [stage.world.reply, ShowProgressActivity(stage.shows, say).show_progress]
    async with (
        running(stage.client, stage.world, without=(queue,), platform=stage.platform),
        Worker(
            stage.client, task_queue=queue, activities=activities, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT
        ),
    ):
        yield stage


async def write(turn: WorkflowHandle[VoiceMessage, VoiceMessageResult], *sentences: str) -> None:
    for index, text in enumerate(sentences):
        await turn.signal(VoiceMessage.sentence, Sentence(attempt=1, index=index, text=text))


async def test_that_the_model_thinks_is_told_after_a_while(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accompany, "THINKING_SECONDS", 0.0)
    turn = await stage.turn()
    await until(lambda: stage.shows.present == 1)
    await until(lambda: bool(stage.world.asked("infer")))
    assert stage.shows.told == []
    await turn.signal(VoiceMessage.thinking, Thinking(attempt=1))
    await until(lambda: len(stage.shows.told) > 1)
    assert set(stage.shows.told) == {"I'm still thinking about it."}
    await write(turn, "One.")
    await until(lambda: stage.shows.texts == ["One."])
    stage.finish.set()
    await turn.result()


async def test_that_it_takes_long_is_told_until_there_is_something(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accompany, "SLOW_SECONDS", 0.2)
    turn = await stage.turn()
    await until(lambda: len(stage.shows.told) > 1)
    assert set(stage.shows.told) == {"This is taking longer than usual. I'm still on it."}
    await write(turn, "One.")
    await until(lambda: stage.shows.texts == ["One."])
    told = len(stage.shows.told)
    stage.finish.set()
    await turn.result()
    assert len(stage.shows.told) == told


async def test_the_text_is_shown_as_it_is_written_until_the_reply_takes_over(stage: Stage) -> None:
    turn = await stage.turn()
    await until(lambda: stage.shows.present == 1)
    await write(turn, "One.")
    await until(lambda: stage.shows.texts == ["One."])
    await turn.signal(VoiceMessage.sentence, Sentence(attempt=1, index=1, text="Two."))
    await until(lambda: stage.shows.texts == ["One.", "One. Two."])
    stage.finish.set()
    await turn.result()
    await until(lambda: stage.shows.present == 0)
    ((to, speaks, shown),) = stage.shows.begun
    assert (to.platform, to.chat, to.message, speaks, shown) == (stage.platform, "1", "1", False, None)


async def test_it_knows_whether_a_voice_note_is_made(stage: Stage) -> None:
    stage.finish.set()
    await (await stage.turn(ReplyMode.ALWAYS)).result()
    await until(lambda: len(stage.shows.begun) == 1 and not stage.shows.present)
    assert stage.shows.begun[0][1]


async def test_the_next_attempt_finds_the_message_that_shows_the_text(stage: Stage) -> None:
    stage.shows.when_shown = [ConnectionResetError()]
    turn = await stage.turn()
    await write(turn, "One.")
    await until(lambda: stage.shows.texts == ["One."])
    await turn.signal(VoiceMessage.sentence, Sentence(attempt=1, index=1, text="Two."))
    await until(lambda: len(stage.shows.begun) == 2)
    assert [shown for _, _, shown in stage.shows.begun] == [None, "m1"]
    stage.finish.set()
    assert (await turn.result()).error is None
    await until(lambda: stage.shows.present == 0)
    assert stage.shows.shown == "m1", "one message, however many attempts"


async def test_a_platform_that_cannot_show_harms_nothing(stage: Stage) -> None:
    stage.shows.when_entered = [ConnectionRefusedError() for _ in range(3)]
    turn = await stage.turn()
    await write(turn, "One.")
    stage.finish.set()
    assert (await turn.result()).status == "answered"
    assert stage.shows.texts == []


async def test_it_ends_with_a_turn_that_is_cancelled(stage: Stage) -> None:
    turn = await stage.turn()
    await until(lambda: stage.shows.present == 1)
    await turn.cancel()
    await until(lambda: stage.shows.present == 0)


@pytest.mark.slow
async def test_it_ends_with_a_turn_that_was_lost(stage: Stage) -> None:
    turn = await stage.turn()
    await until(lambda: stage.shows.present == 1)
    await turn.terminate("an operator's mistake")
    await until(lambda: stage.shows.present == 0)
