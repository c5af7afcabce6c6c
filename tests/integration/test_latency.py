"""Latency: half of a few short spoken turns are answered within the budget of the settings."""

import statistics
import time
from collections.abc import Callable

from tests.integration.chat import OwnChat
from tests.integration.june import June
from workers.local.session import QUESTION
from workflows.voice.conversation import Conversation


async def test_half_of_the_turns_are_within_the_budget(
    june: June, chat: OwnChat, record_property: Callable[[str, object], None]
) -> None:
    seconds = []
    for _ in range(1 + june.settings.latency_turns):
        message = await chat.send(QUESTION.read_bytes())
        sent = time.perf_counter()
        await chat.answer(message)
        seconds.append(time.perf_counter() - sent)
        await chat.conversation.execute_update(Conversation.reset)  # each turn asks the model the same
    measured = sorted(seconds[1:])
    record_property("turn_seconds", [round(one, 2) for one in measured])
    assert statistics.median(measured) <= june.settings.latency_budget_seconds, f"seconds of the turns: {measured}"
