"""How long people wait for what hangs: by the clock of the time-skipping server, at the settings' defaults."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import waiting
from activities.error_codes import ErrorCode
from activities.infer import InferActivity, Inference, InferRequest
from activities.language_model import Delta, ModelRequest
from tests.support.turns import answer
from tests.support.world import HEARTBEAT_TIMEOUT, World, running
from workers.roles.engines import budgets
from workers.settings import LlmSettings
from workflows.activity_options import FETCH, INFER, SYNTHESIZE, TRANSCRIBE, TURN_DEADLINE, transcribing
from workflows.names import GPU_QUEUE, Stage

SILENCE = LlmSettings().first_token_seconds
FIRST_PAUSE = 0.5
"""Seconds before the second attempt."""
ABOUT_TWO_MINUTES = timedelta(seconds=125)
"""Then people know that nothing comes."""


class HungModel:
    """A server that takes each question and says nothing, at a client that waits for as long as it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self._seconds = 0.0
        monkeypatch.setattr(waiting, "monotonic", lambda: self._seconds)

    async def stream(self, asked: ModelRequest) -> AsyncGenerator[Delta, None]:
        self.asked += 1
        self._seconds += SILENCE
        if asked.messages:
            raise ApplicationError("silent", type=ErrorCode.MODEL_UNAVAILABLE)
        yield Delta()


class HungInfer:
    """The activity, of which the silence passes after each attempt: the server skips no time within one."""

    def __init__(self, model: HungModel) -> None:
        self._infer = InferActivity(model, budgets(LlmSettings()))

    @activity.defn(name="infer")
    async def infer(self, request: InferRequest) -> Inference:
        try:
            return await self._infer.infer(request)
        except ApplicationError as error:
            if error.non_retryable:
                raise
            pause = timedelta(seconds=SILENCE + FIRST_PAUSE)
            raise ApplicationError(error.message, type=error.type, next_retry_delay=pause) from None


@pytest.mark.slow
async def test_a_model_server_that_hangs_is_given_up_after_two_minutes(
    time_skipping: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, client = HungModel(monkeypatch), time_skipping.client
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(running(client, World(), without=(GPU_QUEUE,)))
        activities: list[Callable[..., Any]] = [world.transcribe, HungInfer(model).infer]
        await stack.enter_async_context(
            Worker(
                client, task_queue=GPU_QUEUE, activities=activities, max_heartbeat_throttle_interval=HEARTBEAT_TIMEOUT
            )
        )
        result = await answer(client)
    assert (result.status, result.error, result.error_stage) == ("failed", ErrorCode.MODEL_UNAVAILABLE, Stage.INFER)
    assert world.notices() == ["model-unavailable"]
    assert model.asked == 2
    in_all = timedelta(milliseconds=result.total_ms) + timedelta(seconds=SILENCE)  # and that of the last attempt
    assert timedelta(seconds=120.5) <= in_all < ABOUT_TWO_MINUTES


def test_a_model_that_writes_may_do_so_until_the_turn_ends() -> None:
    assert INFER.attempt == INFER.total == TURN_DEADLINE


def test_other_engines_that_hang_are_given_up_as_soon() -> None:
    for options in (FETCH, transcribing(15), SYNTHESIZE):
        assert options.attempt < ABOUT_TWO_MINUTES
        assert "TemporalTimeout:StartToClose" in (options.retry_policy.non_retryable_error_types or ())


@pytest.mark.parametrize(("sound", "attempt"), [(0, 100), (60, 130), (600, 400), (3600, 480)])
def test_a_longer_recording_may_take_longer(sound: float, attempt: float) -> None:
    assert transcribing(sound).attempt == timedelta(seconds=attempt)
    assert transcribing(sound).total == TRANSCRIBE.total
