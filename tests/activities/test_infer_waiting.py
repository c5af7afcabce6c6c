"""The activity ``infer`` and a model server that hangs, stalls, or writes slowly but steadily."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.error_codes import ErrorCode
from activities.infer import Inference
from tests.support.inference import QUESTION, activity_for, closed
from tests.support.model_server import ModelServerDouble, Piece, Script, chunk, end, model_server
from workers.roles.engines import budgets
from workers.settings import LlmSettings

pytestmark = pytest.mark.slow

SILENCE = 0.5
"""Seconds of silence in one attempt, of which there may be two."""
EMPTY = chunk(role="assistant", content="")


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[ModelServerDouble]:
    async with model_server() as double:
        yield double


async def ask(
    server: ModelServerDouble, *pieces: Piece, silent_before: float = 0, seconds: float = 60, total: float = 2 * SILENCE
) -> Inference:
    """Ask once, after attempts that were silent for so long, in an attempt that may take so many seconds."""
    server.plays(Script(pieces=pieces))
    environment = ActivityEnvironment()
    details = [silent_before] if silent_before else []
    limit = timedelta(seconds=seconds)
    environment.info = replace(environment.info, heartbeat_details=details, start_to_close_timeout=limit)
    activity = activity_for(server.url, silence_seconds=SILENCE, silent_seconds=total)
    return await environment.run(activity.infer, QUESTION)


@pytest.mark.parametrize(
    "pieces", [(30.0,), (EMPTY, 30.0), (chunk(content="Hello"), 30.0), (chunk(reasoning="Hm"), 30.0)]
)
async def test_one_that_is_silent_is_tried_once_more(server: ModelServerDouble, pieces: tuple[Piece, ...]) -> None:
    for before, final in ((0.0, False), (SILENCE, True)):
        with pytest.raises(ApplicationError) as raised:
            await ask(server, *pieces, silent_before=before)
        assert (raised.value.type, raised.value.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, final)
        assert len(server.requests) == 1
        await closed(server)


async def test_empty_pieces_are_no_sign_of_life(server: ModelServerDouble) -> None:
    pings: list[Piece] = [EMPTY, SILENCE / 5] * 200
    with pytest.raises(ApplicationError) as raised:
        await ask(server, *pings)
    assert (raised.value.type, raised.value.non_retryable) == (ErrorCode.MODEL_UNAVAILABLE, True)
    await closed(server)


@pytest.mark.parametrize("delta", [{"reasoning": "Hm. "}, {"content": "Word. "}])
async def test_one_that_writes_or_thinks_slowly_is_waited_for(server: ModelServerDouble, delta: dict[str, str]) -> None:
    steadily: list[Piece] = [SILENCE / 3, chunk(**delta)] * 10
    inference = await ask(server, *steadily, chunk(content="The end."), end())
    assert inference.answer.endswith("The end.")
    assert inference.engine_ms > 1000 * 2 * SILENCE, "for longer than it may be silent in all"


async def test_when_the_time_is_over_what_was_written_is_the_answer(server: ModelServerDouble) -> None:
    endless: list[Piece] = [chunk(content="Word after word. "), SILENCE / 5] * 1000
    inference = await ask(server, *endless, seconds=1.5)
    assert inference.answer.startswith("Word after word.")
    assert (inference.cut, inference.finish_reason) == (True, "length")
    await closed(server)


def test_two_silences_are_waited_for_by_default() -> None:
    assert budgets(LlmSettings(first_token_seconds=60)).silent_seconds == 120
