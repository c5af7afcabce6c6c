"""Resilience: a worker or the model's server is killed amid a turn, which is answered all the same, once.

For a june that ``june up`` runs on this machine, and only where it may be disturbed.
"""

import pytest

from tests.integration.chat import OwnChat
from tests.integration.june import June
from workers.local.session import QUESTION
from workflows.names import Stage

STAGES = ["fetch", "transcribe", "infer", "synthesize", "reply"]


@pytest.fixture(autouse=True)
async def may_kill(june: June) -> None:
    """Let no test begin that must not."""
    if not june.settings.may_kill:
        pytest.skip("kills processes, which disturbs whoever uses june: set JUNE_INTEGRATION_MAY_KILL=1")
    if june.state is None:
        pytest.skip("kills processes of `june up` on this machine alone: run it, with the JUNE_HOME of these tests")
    await june.ready()


@pytest.mark.parametrize("name", ["worker-gpu", "worker-workflows"])
async def test_a_killed_worker_costs_only_time(june: June, chat: OwnChat, name: str) -> None:
    message = await chat.send(QUESTION.read_bytes())
    await chat.reaches(message, Stage.INFER)
    await june.kill(name)
    await chat.answer(message)
    await once(chat, message)
    await june.ready()


async def test_a_model_that_is_down_is_waited_for_or_apologised_for(june: June, chat: OwnChat) -> None:
    if "model-server" not in june.ready_urls:
        pytest.skip("june uses a model server that is not its own to kill: unset JUNE_LLM_BASE_URL")
    await june.kill("model-server")
    message = await chat.send(QUESTION.read_bytes())
    result = await chat.result(message)
    assert (result.status, result.error) in {("answered", None), ("failed", "model-unavailable")}
    assert (await chat.ran(message))[-1].completed == 1, "the user is told in any case"
    await june.ready()


async def once(chat: OwnChat, message: str) -> None:
    """See that no stage but speech, which has a sentence each time, ran twice."""
    ran = await chat.ran(message)
    assert all(activity.completed == 1 for activity in ran)
    names = [activity.name for activity in ran if activity.name != "synthesize"]
    assert names == [stage for stage in STAGES if stage != "synthesize"]
