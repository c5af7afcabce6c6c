"""The activity ``infer``: what becomes of the model's words, and its signals on a real Temporal server."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import Worker

from activities.error_codes import ErrorCode
from activities.infer import (
    MAX_SIGNALS,
    Budgets,
    InferActivity,
    Inference,
    InferRequest,
    Message,
    Sentence,
    Thinking,
    Written,
)
from activities.text.answer import MAX_THOUGHT_CHARS
from tests.support.inference import QUESTION, TIMEOUT, WINDOW, activity_for, closed, failure, infer
from tests.support.model_server import Cut, ModelServerDouble, Script, chunk, end, model_server, said
from workers.engines.openai_chat import OpenAIChat


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def test_plain_answer(server: ModelServerDouble) -> None:
    inference = await infer(server, said("Hel", "lo. How", " are you?"), attempt=3)
    assert inference.answer == "Hello. How are you?"
    assert inference.sentences == ("Hello.", "How are you?")
    assert (inference.model, inference.finish_reason, inference.attempt) == ("double", "stop", 3)
    assert (inference.prompt_tokens, inference.completion_tokens) == (7, 5)
    assert inference.first_token_ms is not None
    assert 0 <= inference.first_token_ms <= inference.engine_ms


async def test_markdown_is_for_reading_and_prose_for_speaking(server: ModelServerDouble) -> None:
    answer = "## So\n\n- use `ls` 🎉\n\n```sh\nls. Now.\n```\nSee [this](http://x.y)."
    inference = await infer(server, said(*answer))
    assert inference.answer == answer
    assert inference.sentences == ("So.", "use ls.", "See this.")


async def test_answer_of_code_alone_is_an_answer(server: ModelServerDouble) -> None:
    inference = await infer(server, said("```\nprint()\n```"))
    assert (inference.answer, inference.sentences) == ("```\nprint()\n```", ())


@pytest.mark.parametrize(
    "pieces",
    [
        ("<think>Hm. So.</think>\n\nHello.",),
        ("<th", "ink>Hm. So.</", "think", ">\n\nHello."),
        tuple("<think>Hm. So.</think>\n\nHello."),
        ("Hm. So.</think>\n\nHello.",),
        tuple("Hm. So.</think>\n\nHello."),
    ],
)
async def test_thoughts_in_content(server: ModelServerDouble, pieces: tuple[str, ...]) -> None:
    inference = await infer(server, said(*pieces))
    assert (inference.answer, inference.sentences, inference.reasoning_chars) == ("Hello.", ("Hello.",), 7)


async def test_answer_that_begins_in_thoughts(server: ModelServerDouble) -> None:
    inference = await infer(server, said("Hm. So.", "</think>", "Hello."), thinks_first=True)
    assert (inference.answer, inference.reasoning_chars) == ("Hello.", 7)


async def test_characters_sent_in_halves(server: ModelServerDouble) -> None:
    inference = await infer(server, said("Hi \ud83d", "\ude00 you \ud83d."))
    assert inference.answer == "Hi 😀 you \ufffd."
    assert Inference.model_validate_json(inference.model_dump_json()) == inference


async def test_long_answer_is_cut_and_the_model_stopped(server: ModelServerDouble) -> None:
    server.plays(Script(pieces=[chunk(content="Word word. ")] * 2000 + [30.0]))
    inference = await ActivityEnvironment().run(activity_for(server.url, max_answer_chars=100).infer, QUESTION)
    assert len(inference.answer) <= 100
    assert inference.finish_reason == "length"
    await closed(server)


async def test_endless_thoughts_are_stopped(server: ModelServerDouble) -> None:
    error = await failure(
        server, Script(pieces=[chunk(reasoning="hm " * 10_000)] * (MAX_THOUGHT_CHARS // 30_000 + 1) + [30.0])
    )
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_EMPTY, True)
    await closed(server)


@pytest.mark.parametrize(
    ("script", "final"),
    [
        (said(""), False),
        (said(" \n"), False),
        (said("<think>Hm.</think>"), True),
        (said("<think>Hm", reason="length"), True),
        (Script(pieces=[chunk(reasoning="Hm"), end("length")]), True),
    ],
)
async def test_empty_answer(server: ModelServerDouble, script: Script, final: bool) -> None:
    error = await failure(server, script)
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_EMPTY, final)


async def test_a_model_that_spends_its_budget_on_thoughts_is_asked_for_the_answer(
    server: ModelServerDouble, caplog: pytest.LogCaptureFixture
) -> None:
    thoughts = Script(pieces=[chunk(reasoning="hm ")] * 50 + [30.0])
    server.plays(thoughts, said("Two."))
    activity = activity_for(server.url, thinking_tokens=20, answer_tokens=10)
    inference = await ActivityEnvironment().run(activity.infer, QUESTION)
    assert (inference.answer, inference.cut, inference.reasoning_chars) == ("Two.", False, 69)
    assert [request["max_tokens"] for request in server.requests] == [30, 10]
    assert "JUNE_LLM_THINKING_TOKENS" in caplog.text


async def test_an_answer_of_more_tokens_than_it_may_have_is_cut(server: ModelServerDouble) -> None:
    server.plays(Script(pieces=[*(chunk(content=f"Word {n}. ") for n in range(50)), 30.0]))
    inference = await ActivityEnvironment().run(activity_for(server.url, answer_tokens=10).infer, QUESTION)
    assert (inference.finish_reason, inference.cut) == ("length", True)
    assert inference.answer == " ".join(f"Word {n}." for n in range(11)) + " …"


async def test_a_request_may_bound_its_answer_and_not_its_thoughts(server: ModelServerDouble) -> None:
    server.plays(said("So it was."))
    request = QUESTION.model_copy(update={"max_tokens": 250})
    await ActivityEnvironment().run(activity_for(server.url, thinking_tokens=4000).infer, request)
    assert server.requests[0]["max_tokens"] == 4250


async def test_the_model_is_told_the_time_with_the_newest_message_alone(server: ModelServerDouble) -> None:
    server.plays(said("Friday."))
    undated = (*QUESTION.messages, Message(role="assistant", content="Hello."))
    before = (
        *undated,
        Message(role="user", content="Are you there?", said_at=datetime(2026, 11, 27, 23, 30, tzinfo=UTC)),
        Message(role="assistant", content="Yes."),
    )
    newest = Message(role="user", content="What day is it?")
    request = InferRequest(messages=(*before, newest), asked_at=datetime(2026, 11, 27, 23, 32, tzinfo=UTC))
    activity = activity_for(server.url, time_zone=ZoneInfo("Asia/Tokyo"))
    for zone, told, later in (
        (None, "[2026-11-28 Sat 08:30 Asia/Tokyo]", "[08:32]"),
        ("America/New_York", "[2026-11-27 Fri 18:30 America/New_York]", "[18:32]"),
        ("Nowhere/Land", "[2026-11-28 Sat 08:30 Asia/Tokyo]", "[08:32]"),
    ):
        await ActivityEnvironment().run(activity.infer, request.model_copy(update={"time_zone": zone}))
        sent = [message["content"] for message in server.requests[-1]["messages"]]
        assert sent[:3] == [message.content for message in undated]
        assert sent[3:] == [f"{told}\nAre you there?", "Yes.", f"{later}\nWhat day is it?"]


@pytest.mark.parametrize("call", ['{"name": "light", "arguments": {}}', "<tool_call>{}</tool_call>"])
async def test_a_tool_call_is_no_answer(server: ModelServerDouble, call: str) -> None:
    inference = await infer(server, said(call), said("I cannot."))
    assert inference.answer == "I cannot."
    assert server.requests[1]["messages"][-1]["content"].startswith("Hi?\n\n(Answer now, in words")


async def test_a_tool_called_by_protocol_is_no_answer(server: ModelServerDouble) -> None:
    called = Script(pieces=[chunk(content=None, tool_calls=[{"index": 0}]), end("tool_calls")])
    assert (await infer(server, called, said("I cannot."))).answer == "I cannot."


async def test_an_answer_that_comes_as_thoughts_is_taken_when_none_were_asked_for(server: ModelServerDouble) -> None:
    misled = Script(pieces=[chunk(content=None, reasoning="Good morning."), end()])
    inference = await infer(server, misled)
    assert (inference.answer, inference.sentences) == ("Good morning.", ("Good morning.",))
    assert len(server.requests) == 2


async def test_languages_of_question_and_sentences_are_told(server: ModelServerDouble) -> None:
    server.plays(said("You say: je voudrais un café. That is all."))
    activity = InferActivity(
        OpenAIChat(AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0), "m", TIMEOUT, WINDOW),
        Budgets(1000, 1000, 0),
        lambda text, likely: "fr" if "café" in text else likely[0],
    )
    request = QUESTION.model_copy(update={"likely_languages": ("en",)})
    inference = await ActivityEnvironment().run(activity.infer, request)
    assert inference.sentences == ("You say: je voudrais un café.", "That is all.")
    assert (inference.languages, inference.question_language) == (("fr", "fr"), "en")
    untold = await infer(server, said("Yes."))
    assert (untold.languages, untold.question_language) == ((), None)


async def test_a_prompt_may_be_read_and_nothing_else(server: ModelServerDouble) -> None:
    for script in (said("Hi there."), said(""), Script(pieces=[chunk(reasoning="Hm."), end("length")])):
        server.plays(script)
        request = QUESTION.model_copy(update={"prompt_only": True})
        await ActivityEnvironment().run(activity_for(server.url).infer, request)
        (asked,) = server.requests
        assert asked["max_tokens"] == 1


@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_silence_is_tried_again_a_few_times(server: ModelServerDouble, attempt: int) -> None:
    with pytest.raises(ApplicationError) as raised:
        await infer(server, said(""), attempt=attempt)
    assert raised.value.non_retryable is (attempt == 3)


@pytest.mark.slow
def test_models_cost_no_openai_client() -> None:
    code = "import sys, activities.infer; sys.exit('openai' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# Signals, on a real server


@workflow.defn(sandboxed=False)  # the sandbox would import this file, an HTTP server with it
class Listener:
    """Asks, and gives what it heard meanwhile."""

    def __init__(self) -> None:
        self._heard: list[Sentence] = []

    @workflow.run
    async def run(self, request: InferRequest) -> tuple[list[Sentence], Inference]:
        inference = await workflow.execute_activity_method(
            InferActivity.infer, request, start_to_close_timeout=timedelta(seconds=20)
        )
        return self._heard, inference

    @workflow.signal
    def sentence(self, sentence: Sentence) -> None:
        self._heard.append(sentence)

    @workflow.signal
    def written(self, piece: Written) -> None:
        self._heard.append(Sentence(**dict(piece), index=-1, text="(writes)"))

    @workflow.signal
    def thinking(self, thinking: Thinking) -> None:
        self._heard.append(Sentence(attempt=thinking.attempt, index=-1, text="(thinks)"))

    @workflow.query
    def heard(self) -> list[str]:
        return [sentence.text for sentence in self._heard]


@pytest.fixture
def client(dev_server: WorkflowEnvironment) -> Client:
    return dev_server.client


async def listen(client: Client, server: ModelServerDouble, *, ahead: bool = False) -> tuple[list[Sentence], Inference]:
    queue = str(uuid4())
    async with Worker(client, task_queue=queue, workflows=[Listener], activities=[activity_for(server.url).infer]):
        request = QUESTION.model_copy(update={"signal_sentences": True, "signal_ahead": ahead})
        return await client.execute_workflow(Listener.run, request, id=queue, task_queue=queue)


async def test_sentences_are_signalled_in_order(client: Client, server: ModelServerDouble) -> None:
    server.plays(said(*"<think>Hm. Hm.</think>One fish. Two fish. Red fish. Blue fish."))
    heard, inference = await listen(client, server)
    assert [(sentence.attempt, sentence.index) for sentence in heard] == [(1, 0), (1, 1), (1, 2)]
    assert tuple(sentence.text for sentence in heard) == inference.sentences[:3]
    assert inference.sentences[3:] == ("Blue fish.",)


@pytest.mark.slow
async def test_what_seems_to_end_is_signalled_ahead_once(client: Client, server: ModelServerDouble) -> None:
    server.plays(said("One fish. Two", " fish.", "", " Blue fish."))
    heard, _ = await listen(client, server, ahead=True)
    assert [(sentence.index, sentence.text, sentence.certain) for sentence in heard] == [
        (0, "One fish.", True),
        (1, "Two fish.", False),
        (1, "Two fish.", True),
        (2, "Blue fish.", False),
    ]
    server.plays(said(*("Ah ha." for _ in range(3)), *(f" {'x' * n}." for n in range(1, MAX_SIGNALS + 5))))
    heard, _ = await listen(client, server, ahead=True)
    assert len([sentence for sentence in heard if not sentence.certain]) == MAX_SIGNALS


@pytest.mark.slow
async def test_long_thoughts_are_signalled_once(
    client: Client, server: ModelServerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.infer.THINKING_SECONDS", 0.05)
    thoughts = [piece for _ in range(6) for piece in (chunk(reasoning="hm "), 0.04)]
    server.plays(Script(pieces=[*thoughts, chunk(content="Yes it is."), end()]))
    heard, _ = await listen(client, server)
    assert [sentence.text for sentence in heard] == ["(thinks)"]


@pytest.mark.slow
async def test_what_is_no_sentence_is_signalled_for_reading(
    client: Client, server: ModelServerDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.infer.WRITTEN_SECONDS", 0.05)
    lines = [piece for n in range(4) for piece in (chunk(content=f"print({n})\n"), 0.1)]
    code = Script(pieces=[chunk(content="So. Look here:\n```py\n"), 0.1, *lines, chunk(content="```\n"), end()])
    server.plays(code)
    heard, inference = await listen(client, server)
    text, shown = "", list[str]()
    for piece in heard:
        assert piece.start <= len(text)
        text = text[: piece.start] + piece.written
        shown.append(text)
    assert heard[0].text == "So."
    assert [piece.text for piece in heard].count("(writes)") >= 3
    assert "So. Look here:\n```py\nprint(0)" in shown
    assert inference.answer.startswith(text)


@pytest.mark.slow
async def test_retry_signals_with_its_own_attempt(client: Client, server: ModelServerDouble) -> None:
    cut = Script(pieces=[chunk(content="Old one. Old two. Old"), 0.3, Cut()])
    server.plays(cut, said("New one. ", "New two."))
    heard, inference = await listen(client, server)
    assert [sentence.text for sentence in heard if sentence.attempt == 2] == ["New one."]
    assert {sentence.text for sentence in heard if sentence.attempt == 1} <= {"Old one.", "Old two."}
    assert (inference.sentences, inference.attempt) == (("New one.", "New two."), 2)


@pytest.mark.slow
async def test_signals_are_bounded_and_never_of_retracted_text(client: Client, server: ModelServerDouble) -> None:
    server.plays(said(" ".join(f"So it is {n} times." for n in range(MAX_SIGNALS + 20))))
    heard, inference = await listen(client, server)
    assert len(heard) == MAX_SIGNALS
    assert len(inference.sentences) == MAX_SIGNALS + 20
    server.plays(said("Hm one. Hm two. Hm", "</think>", "New one. New two. New three."))
    heard, inference = await listen(client, server)
    assert [sentence.text for sentence in heard] == ["Hm one."]
    assert inference.sentences == ("New one.", "New two.", "New three.")


async def test_sentence_is_signalled_while_the_model_writes(client: Client, server: ModelServerDouble) -> None:
    heard_enough = asyncio.Event()
    server.plays(Script(pieces=[chunk(content="One fish. Two "), heard_enough, chunk(content="fish."), end()]))
    queue, patient = str(uuid4()), activity_for(server.url, silence_seconds=15)
    async with Worker(client, task_queue=queue, workflows=[Listener], activities=[patient.infer]):
        request = QUESTION.model_copy(update={"signal_sentences": True})
        handle = await client.start_workflow(Listener.run, request, id=queue, task_queue=queue)
        while not (heard := await handle.query(Listener.heard)):  # noqa: ASYNC110 - heard by another process
            await asyncio.sleep(0.02)
        assert heard == ["One fish."]
        assert server.open_streams == 1
        heard_enough.set()
        await handle.result()


async def test_workflow_that_is_gone_is_logged(
    client: Client, server: ModelServerDouble, caplog: pytest.LogCaptureFixture
) -> None:
    server.plays(said("One fish. Two fish. Red fish."))
    environment = ActivityEnvironment(client=client)
    environment.info = replace(environment.info, workflow_id="gone", workflow_run_id=str(uuid4()))
    request = QUESTION.model_copy(update={"signal_sentences": True})
    inference = await environment.run(activity_for(server.url).infer, request)
    assert len(inference.sentences) == 3
    assert [record.getMessage() for record in caplog.records if "NOT_FOUND" in record.getMessage()] != []
