"""What is recorded of a turn: its time, and what the Web UI can read."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from tests.support.encryption import opened_history
from tests.support.turns import answer, start
from tests.support.world import World
from workflows.activity_options import TURN_DEADLINE


async def test_a_turn_has_a_deadline(client: Client, world: World) -> None:
    async def ask_for_a_pause(asked: object) -> None:
        raise ApplicationError("scripted", next_retry_delay=timedelta(minutes=4))

    world.behaviours = dict.fromkeys(("transcribe", "infer"), ask_for_a_pause)
    result = await answer(client)
    assert result.status == "failed"
    assert len(world.notices()) == 1
    assert result.total_ms <= TURN_DEADLINE.total_seconds() * 1000


async def test_the_web_ui_can_read_it(client: Client, world: World) -> None:
    handle = await start(client)
    await handle.result()
    description = await handle.describe()
    assert description.typed_search_attributes.search_attributes
    history = await opened_history(handle)
    summaries = [event.user_metadata.summary.data.decode() for event in history.events if event.user_metadata.summary]
    assert any("You said hello." in text for text in summaries)
