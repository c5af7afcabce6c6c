"""Single answers, by a scripted model."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import Pinned, TaskPrompt, attempt_seed
from activities.benchmarks.complete import CompleteActivity, Completed, CompleteRequest
from activities.coding.storage import CodingStorage, Owner
from activities.language_model import Delta
from tests.activities.benchmarks.conftest import pinned
from tests.activities.coding.test_think import Model, said


async def planned(storage: CodingStorage, **fields: object) -> Pinned:
    lines = [TaskPrompt(task=task, prompt=f"Write {task}.\nPlease.").model_dump_json() for task in ("a", "b")]
    owner = Owner(platform="bench", chat="a-run")
    prompts = await storage.put(owner, "\n".join(lines).encode(), "application/jsonl", "jsonl")
    return pinned("humaneval", prompts=prompts, **fields)


async def complete(storage: CodingStorage, server: Model, run: Pinned, task: str = "a", sample: int = 0) -> Completed:
    request = CompleteRequest(pinned=run, task=task, sample=sample)
    return await ActivityEnvironment().run(CompleteActivity(server, storage).complete, request)


async def test_the_model_is_asked_as_was_pinned(storage: CodingStorage) -> None:
    server = Model(said("```python\nx = 1\n```"))
    run = await planned(storage, temperature=0.7, top_p=0.9, top_k=20, thinking_tokens=50)
    completed = await complete(storage, server, run, "b", 2)
    (asked,) = server.asked
    assert [(message.role, message.content) for message in asked.messages] == [("user", "Write b.\nPlease.")]
    assert (asked.model, asked.temperature, asked.top_p, asked.top_k) == ("scripted", 0.7, 0.9, 20)
    assert (asked.answer_tokens, asked.thinking_tokens, asked.shortens) == (100, 50, False)
    assert asked.seed == attempt_seed(3, "b", 2)
    assert (completed.finish_reason, completed.prompt_tokens, completed.completion_tokens) == ("stop", 100, 7)
    assert (await storage.get(completed.answer, 1000)).decode() == "```python\nx = 1\n```"
    assert completed.answer.key.startswith("bench/a-run/b.2/")
    assert not completed.is_empty


async def test_an_answer_may_be_empty_or_cut(storage: CodingStorage) -> None:
    run = await planned(storage)
    empty = await complete(storage, Model([Delta(finish_reason="stop")]), run)
    assert empty.is_empty
    assert (await complete(storage, Model(said("def f", "length")), run)).finish_reason == "length"


async def test_what_was_not_planned_is_not_asked(storage: CodingStorage) -> None:
    server = Model(said("x"))
    for run, task in ((await planned(storage), "c"), (pinned(), "a")):
        with pytest.raises(ApplicationError) as refused:
            await complete(storage, server, run, task)
        assert (refused.value.type, refused.value.non_retryable) == ("task-unknown", True)
    assert not server.asked


async def test_a_server_that_is_away_is_asked_again(storage: CodingStorage) -> None:
    away = ApplicationError("away", type="model-unavailable")
    with pytest.raises(ApplicationError) as failed:
        await complete(storage, Model(away), await planned(storage))
    assert not failed.value.non_retryable
