"""Planning a run."""

import pytest
from temporalio.testing import ActivityEnvironment

from activities.benchmarks.attempts import TaskPrompt
from activities.benchmarks.plan import PlanActivity, Planned, PlanRequest, choose
from activities.benchmarks.task_files import BenchmarkError, TaskFiles
from activities.coding.running import Runner
from activities.coding.storage import CodingStorage
from agent.tasks.data_sets import find, load


async def plan(task_files: TaskFiles, storage: CodingStorage, runner: Runner, **fields: object) -> Planned:
    request = PlanRequest.model_validate({"run": "a-run", "data_set": "humaneval", "mode": "completion", **fields})
    return await ActivityEnvironment().run(PlanActivity(task_files, storage, runner.sandboxes).plan, request)


async def test_tasks_are_chosen_and_their_prompts_stored(
    task_files: TaskFiles, storage: CodingStorage, runner: Runner
) -> None:
    planned = await plan(task_files, storage, runner, first=3)
    assert planned.tasks == ("HumanEval/0", "HumanEval/1", "HumanEval/2")
    assert planned.data_sha256 == find("humaneval").sha256
    assert planned.prompts
    assert planned.prompts.key.startswith("bench/a-run/")
    lines = (await storage.get(planned.prompts, 100_000)).splitlines()
    prompts = [TaskPrompt.model_validate_json(line) for line in lines]
    assert [prompt.task for prompt in prompts] == list(planned.tasks)
    assert "has_close_elements" in prompts[0].prompt
    assert "no network" in planned.isolation
    assert (bool(planned.code_version), bool(planned.machine)) == (True, True)


async def test_nothing_that_is_hidden_leaves_the_worker(
    task_files: TaskFiles, storage: CodingStorage, runner: Runner
) -> None:
    planned = await plan(task_files, storage, runner, first=1)
    assert planned.prompts
    stored = (await storage.get(planned.prompts, 100_000)).decode()
    (task, *_) = load(find("humaneval"))
    hidden = task.scoring.model_dump_json()
    assert "METADATA" in hidden
    assert "METADATA" not in stored + planned.model_dump_json()


def test_tasks_come_in_the_order_of_the_set() -> None:
    assert choose("set", ("a", "b", "c"), ("c", "a"), None) == ("a", "c")
    assert choose("set", ("a", "b", "c"), (), 2) == ("a", "b")
    assert choose("set", ("a", "b", "c"), ("c", "b"), 1) == ("b",)
    with pytest.raises(BenchmarkError, match="has no task x, y; its first is a") as unknown:
        choose("set", ("a", "b"), ("a", "x", "y"), None)
    assert unknown.value.type == "task-unknown"
