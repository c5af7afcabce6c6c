"""Inference against a real HTTP server of scripted answers, and its signals on a real Temporal server."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import Worker

from activities.error_codes import ErrorCode
from activities.errors import BadInputError
from activities.infer import MAX_SIGNALS, InferActivity, Inference, InferRequest, Message, Sentence
from activities.text.answer import MAX_THOUGHT_CHARS
from tests.support.model_server import Cut, ModelServerDouble, Script, chunk, end, event, model_server, refused, said
from tests.support.waiting import until
from workers.engines.openai_chat import OpenAIChat

KEY = "sk-very-secret"
TIMEOUT, IMPATIENCE = 5.0, 0.5
"""Seconds of silence, where it is of no matter and where it is waited for."""
QUESTION = InferRequest(messages=(Message(role="system", content="Be brief."), Message(role="user", content="Hi?")))


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


def activity_for(
    url: str, *, silence_seconds: float = TIMEOUT, max_answer_chars: int = 6000, thinks_first: bool = False
) -> InferActivity:
    client = AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)
    model = OpenAIChat(client, "default-model", silence_seconds)
    return InferActivity(model, max_answer_chars, thinks_first=thinks_first)


async def infer(
    server: ModelServerDouble,
    *scripts: Script,
    thinks_first: bool = False,
    attempt: int = 1,
    silence_seconds: float = TIMEOUT,
) -> Inference:
    server.plays(*scripts)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    activity = activity_for(server.url, silence_seconds=silence_seconds, thinks_first=thinks_first)
    return await environment.run(activity.infer, QUESTION)


async def failure(server: ModelServerDouble, script: Script, *, silence_seconds: float = TIMEOUT) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await infer(server, script, silence_seconds=silence_seconds)
    assert KEY not in str(raised.value)
    return raised.value


async def test_plain_answer(server: ModelServerDouble) -> None:
    inference = await infer(server, said("Hel", "lo. How", " are you?"), attempt=3)
    assert inference.answer == "Hello. How are you?"
    assert inference.sentences == ("Hello.", "How are you?")
    assert (inference.model, inference.finish_reason, inference.attempt) == ("double", "stop", 3)
    assert (inference.prompt_tokens, inference.completion_tokens) == (7, 5)
    assert inference.first_token_ms is not None
    assert 0 <= inference.first_token_ms <= inference.engine_ms


async def test_request_is_what_such_servers_take(server: ModelServerDouble) -> None:
    await infer(server, said("Hello."))
    (request,) = server.requests
    assert request["model"] == "default-model"
    assert request["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}]
    assert request["stream"] is True
    assert request["stream_options"] == {"include_usage": True}


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


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("thinks_first", [False, True])
async def test_thoughts_beside_content(server: ModelServerDouble, name: str, thinks_first: bool) -> None:
    pieces = [chunk(role="assistant", content=None), chunk(**{name: "Hm. "}), chunk(**{name: "So."})]
    script = Script(pieces=[*pieces, chunk(content="Hello."), end()])
    inference = await infer(server, script, thinks_first=thinks_first)
    assert (inference.answer, inference.sentences, inference.reasoning_chars) == ("Hello.", ("Hello.",), 7)


async def test_characters_sent_in_halves(server: ModelServerDouble) -> None:
    inference = await infer(server, said("Hi \ud83d", "\ude00 you \ud83d."))
    assert inference.answer == "Hi 😀 you \ufffd."
    assert Inference.model_validate_json(inference.model_dump_json()) == inference


async def test_odd_chunks_are_passed_over(server: ModelServerDouble) -> None:
    values: list[object] = [[], "x", {"choices": None}, {"choices": [None]}, {"choices": [{"delta": 3}]}]
    odd = [event(value) for value in values]
    odd += [chunk(content=["x"]), chunk(content=None), ": a comment\n\n", "event: ping\ndata: {}\n\n"]
    inference = await infer(server, Script(pieces=[*odd, chunk(content="Hello."), end()]))
    assert inference.answer == "Hello."


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


@pytest.mark.slow
async def test_usage_that_never_comes_costs_nothing_but_itself(server: ModelServerDouble) -> None:
    finish = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    for rest in (Cut(), 30.0):
        inference = await infer(server, Script(pieces=[chunk(content="Hello."), finish, rest]), silence_seconds=1.5)
        assert (inference.answer, inference.prompt_tokens) == ("Hello.", None)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_transient_errors_are_retried(server: ModelServerDouble, status: int) -> None:
    error = await failure(server, refused(status, "Loading model"))
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)
    assert f"{status}: Loading model" in error.message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0.5", 0.5), ("9999", 60), ("-1", None), ("soon", None), ("", None)]
)
async def test_retry_after_is_honoured(server: ModelServerDouble, value: str, seconds: float | None) -> None:
    error = await failure(server, refused(429, **{"retry-after": value}))
    assert error.next_retry_delay == (timedelta(seconds=seconds) if seconds else None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_refusals_are_final(server: ModelServerDouble, status: int) -> None:
    error = await failure(server, refused(status, f"No such thing for {KEY}. " * 50))
    assert isinstance(error, BadInputError)
    assert error.type == ErrorCode.MODEL_REFUSED
    assert f"{status}: No such thing" in error.message
    assert len(error.message) < 350
    assert error.details == ({"status": status},)


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        "request (5032 tokens) exceeds the available context size (2048 tokens), try increasing it",
    ],
)
async def test_prompt_that_is_too_long_is_told_apart(server: ModelServerDouble, message: str) -> None:
    error = await failure(server, refused(400, message))
    assert error.details == ({"status": 400, "reason": "context"},)


async def test_placeholder_of_a_key_is_no_secret(server: ModelServerDouble) -> None:
    server.plays(refused(404, "no such model: xyz"))
    client = AsyncOpenAI(base_url=server.url, api_key="x", max_retries=0)
    with pytest.raises(ApplicationError, match="no such model: xyz"):
        await ActivityEnvironment().run(InferActivity(OpenAIChat(client, "xyz", 1), 100).infer, QUESTION)


async def test_no_server() -> None:
    with pytest.raises(ApplicationError, match="no connection") as raised:
        await ActivityEnvironment().run(activity_for("http://127.0.0.1:9/v1").infer, QUESTION)
    assert (raised.value.type, raised.value.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (Script(pieces=[30.0]), "silent"),
        (Script(pieces=[chunk(content="Hel"), 30.0]), "silent"),
        (Script(pieces=[chunk(content="Hel"), ": ping\n\n", 0.3, ": ping\n\n", 0.3, ": ping\n\n", 0.3]), "silent"),
        (Script(pieces=[chunk(content="Hel"), Cut()]), "connection"),
        (Script(pieces=[chunk(content="Hel")]), "broke off"),
        (Script(pieces=[chunk(content="Hel"), "data: [DONE]\n\n"]), "broke off"),
        (Script(pieces=["data: {not json\n\n"]), "not JSON"),
        (Script(pieces=["data: " + "[" * 200_000 + "\n\n"]), "not JSON"),
        (Script(pieces=["no event stream at all\n\n"]), "broke off"),
        (Script(body="<html>A proxy's page</html>", content_type="text/html"), "event stream"),
        (Script(pieces=[event({"error": {"message": "out of memory", "code": 500}})]), "500: out of memory"),
    ],
)
async def test_streams_that_fail_are_retried(server: ModelServerDouble, script: Script, message: str) -> None:
    error = await failure(server, script, silence_seconds=IMPATIENCE if message == "silent" else TIMEOUT)
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, False)
    assert message in error.message
    await closed(server)


async def test_refusal_within_a_stream_is_final(server: ModelServerDouble) -> None:
    error = await failure(server, Script(pieces=[event({"error": {"message": "bad grammar", "code": 400}})]))
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_REFUSED, True)


@pytest.mark.parametrize(
    ("script", "final"),
    [
        (said(""), False),
        (said(" \n"), False),
        (said("<think>Hm.</think>"), False),
        (said("<think>Hm", reason="length"), True),
        (Script(pieces=[chunk(reasoning="Hm"), end("length")]), True),
    ],
)
async def test_empty_answer(server: ModelServerDouble, script: Script, final: bool) -> None:
    error = await failure(server, script)
    assert (error.type, error.non_retryable) == (ErrorCode.MODEL_EMPTY, final)


async def test_cancellation_frees_the_servers_slot(server: ModelServerDouble) -> None:
    server.plays(Script(pieces=[chunk(content="Hello. "), 30.0]))
    environment = ActivityEnvironment()
    client = AsyncOpenAI(base_url=server.url, api_key=KEY, max_retries=0)
    running = asyncio.create_task(environment.run(InferActivity(OpenAIChat(client, "m", 30), 6000).infer, QUESTION))
    await until(lambda: server.open_streams == 1, 2)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await closed(server)


async def closed(server: ModelServerDouble) -> None:
    """Wait until the server has seen that the client is gone."""
    await until(lambda: server.open_streams == 0, 2)


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
async def test_retry_signals_with_its_own_attempt(client: Client, server: ModelServerDouble) -> None:
    cut = Script(pieces=[chunk(content="Old one. Old two. Old"), 0.3, Cut()])
    server.plays(cut, said("New one. ", "New two."))
    heard, inference = await listen(client, server)
    assert [sentence.text for sentence in heard if sentence.attempt == 2] == ["New one."]
    assert {sentence.text for sentence in heard if sentence.attempt == 1} <= {"Old one.", "Old two."}
    assert (inference.sentences, inference.attempt) == (("New one.", "New two."), 2)


@pytest.mark.slow
async def test_signals_are_bounded_and_never_of_retracted_text(client: Client, server: ModelServerDouble) -> None:
    server.plays(said("Yes it is. " * (MAX_SIGNALS + 20)))
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
