"""A call of the model, scripted here; a real one is in tests/workers/engines."""

from collections.abc import AsyncGenerator

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Transcripts
from activities.coding.think import INTERRUPTED, MAX_CUTS, RemarkRequest, ThinkActivity, ThinkRequest, Thought
from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.language_model import Delta, ModelRequest, Sampling, ToolCallPiece
from agent.actions import Run
from agent.prompt import Driver, Window
from agent.transcript import Observation, Remark, Task, Turn
from tests.activities.coding.conftest import OWNER

ACTION = '{"thought": "I look.", "action": {"tool": "run", "command": "ls"}}'


class Model:
    """Answers by a script; satisfies ``LanguageModel``."""

    def __init__(self, *answers: list[Delta] | ApplicationError) -> None:
        self._answers = list(answers)
        self.asked: list[ModelRequest] = []

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, ApplicationError):
            raise answer
        for delta in answer:
            yield delta


def said(text: str, finish_reason: str = "stop") -> list[Delta]:
    return [
        Delta(content=text, model="scripted"),
        Delta(finish_reason=finish_reason, prompt_tokens=100, completion_tokens=7),
    ]


@pytest.fixture
def transcripts() -> Transcripts:
    return Transcripts(CodingStorage(BlobStore.open("memory://")))


async def think(
    transcripts: Transcripts, server: Model, driver: Driver = Driver.SCHEMA, step: int = 1, **fields: object
) -> Thought:
    begun = await transcripts.append(OWNER, None, (Task(text="Do it."),))
    request = ThinkRequest.model_validate({"owner": OWNER, "step": step, "transcript": begun, "seed": 5, **fields})
    activity = ThinkActivity(server, driver, Window(4096, 500), Sampling(0.2, 0.9, 40), transcripts)
    return await ActivityEnvironment().run(activity.think, request)


async def test_an_action_by_schema(transcripts: Transcripts) -> None:
    model = Model(said(ACTION))
    thought = await think(transcripts, model)
    assert (thought.tool, thought.line, thought.model) == ("run", "run ls", "scripted")
    assert (thought.prompt_tokens, thought.completion_tokens) == (100, 7)
    assert (await transcripts.read(thought.transcript))[1:] == (Turn(step=1, text=ACTION, action=Run(command="ls")),)
    (asked,) = model.asked
    assert (asked.temperature, asked.top_p, asked.top_k, asked.seed) == (0.2, 0.9, 40, 5)
    assert asked.schema
    assert not asked.tools
    assert not asked.shortens


async def test_a_tool_call(transcripts: Transcripts) -> None:
    call = Delta(calls=(ToolCallPiece(0, "c1", "finish", '{"summary": "All done."}'),))
    model = Model([call, Delta(finish_reason="tool_calls")])
    thought = await think(transcripts, model, Driver.TOOLS, temperature=0.7, model="other", repeated=2)
    assert (thought.tool, thought.summary) == ("finish", "All done.")
    assert model.asked[0].tools
    assert (model.asked[0].temperature, model.asked[0].model) == (1.0, "other"), "warmer, as it repeats itself"


@pytest.mark.parametrize(
    "answer",
    ["", "I would rather talk.", '{"tool": "fly"}', '{"action": {"tool": "run"}}', ACTION[:30], "{" * 500, "\0\ud800"],
)
async def test_what_is_no_action_is_a_problem_and_no_failure(transcripts: Transcripts, answer: str) -> None:
    thought = await think(transcripts, Model(said(answer)))
    assert (thought.tool, thought.digest) == ("", "")
    assert thought.line
    turn = (await transcripts.read(thought.transcript))[-1]
    assert isinstance(turn, Turn)
    assert turn.problem


async def test_what_was_said_since_becomes_part_of_the_transcript(transcripts: Transcripts) -> None:
    remarks = (RemarkRequest(text="Use integers."), RemarkRequest(text="You repeat yourself.", by_june=True))
    model = Model(said(ACTION))
    thought = await think(transcripts, model, step=3, remarks=remarks, interrupted=True)
    entries = await transcripts.read(thought.transcript)
    assert entries[1:4] == (
        Observation(step=2, text=INTERRUPTED),
        Remark(text="Use integers.", by="person"),
        Remark(text="You repeat yourself.", by="june"),
    )
    prompt = " ".join(message.content for message in model.asked[0].messages)
    assert "The person says: Use integers." in prompt
    assert INTERRUPTED in prompt


async def test_a_prompt_that_the_server_finds_too_long_is_cut(transcripts: Transcripts) -> None:
    refusal = BadInputError(ErrorCode.MODEL_REFUSED, "too long", reason="context")
    model = Model(refusal, refusal, said(ACTION))
    thought = await think(transcripts, model)
    assert thought.tool == "run"
    assert len(model.asked) == 3
    with pytest.raises(ApplicationError) as refused:
        await think(transcripts, endless := Model(refusal))
    assert refused.value.type == "model-refused"
    assert len(endless.asked) == MAX_CUTS + 1


async def test_other_refusals_are_not_asked_again(transcripts: Transcripts) -> None:
    model = Model(BadInputError(ErrorCode.MODEL_REFUSED, "no such model"))
    with pytest.raises(ApplicationError):
        await think(transcripts, model)
    assert len(model.asked) == 1


async def test_a_model_that_goes_on_is_stopped(transcripts: Transcripts) -> None:
    model = Model([Delta(content=f"{number} and so on, ") for number in range(20_000)])
    thought = await think(transcripts, model)
    assert thought.tool == ""
    assert thought.completion_tokens < 2000
