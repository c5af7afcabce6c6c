"""Messages that belong together are one question with one answer; nothing is lost whatever comes when."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.values import AudioSource
from tests.support.conversation import Chat, contents
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.voice.continuations import joined
from workflows.voice.contracts import (
    MAX_JOINED_CHARS,
    VoiceMessageRequest,
)
from workflows.voice.conversation import Conversation

ANN: dict[str, Any] = {"user": "7"}


def message(number: int, text: str | None = None, **more: object) -> VoiceMessageRequest:
    return VoiceMessageRequest.model_validate({"message": str(number), "text": text, **ANN, **more})


def recording(number: int, remark: str | None = None) -> VoiceMessageRequest:
    return message(number, audio=AudioSource(locator="a"), remark=remark)


def test_two_texts_are_one() -> None:
    both = joined(message(1, "One.", quoted="q", may_continue=True), message(2, "Two.", continues=True))
    assert both is not None
    assert (both.message, both.text, both.quoted, both.may_continue) == ("2", "One.\nTwo.", "q", False)


@pytest.mark.parametrize("turned", [False, True])
def test_a_comment_is_about_the_recording_beside_it(turned: bool) -> None:
    first, second = message(1, "Sum it up."), recording(2)
    if turned:
        first, second = recording(1), message(2, "Sum it up.")
    both = joined(first, second)
    assert both is not None
    assert (both.audio, both.text, both.remark) == (AudioSource(locator="a"), None, "Sum it up.")


def test_of_two_people_or_two_recordings_each_is_answered() -> None:
    assert joined(message(1, "One."), message(2, "Two.", user="8")) is None
    assert joined(recording(1), recording(2)) is None


@given(st.integers(1, MAX_JOINED_CHARS), st.integers(1, MAX_JOINED_CHARS), st.booleans())
def test_what_is_joined_is_a_message(first: int, second: int, spoken: bool) -> None:
    one = recording(1, "x" * min(first, 2000)) if spoken else message(1, "x" * first)
    both = joined(one, message(2, "y" * second))
    assert both is not None
    VoiceMessageRequest.model_validate(both.model_dump())


# In a conversation


async def is_idle(chat: Chat) -> bool:
    return await chat.handle.query(Conversation.queue) == []


async def test_a_long_text_waits_for_its_rest(world: World, chat: Chat) -> None:
    await chat.send("One.", may_continue=True, **ANN)
    await chat.send("Two.", may_continue=True, continues=True, **ANN)
    await chat.send("Three.", continues=True, **ANN)
    assert (await chat.result("3")).transcript == "One.\nTwo.\nThree."
    assert [contents(request) for request in world.asked("infer")] == [["One.\nTwo.\nThree."]]


async def test_a_long_text_without_a_rest_is_answered(world: World, chat: Chat) -> None:
    await chat.send("One.", may_continue=True, **ANN)
    assert (await chat.result("1")).transcript == "One."
    await until(lambda: is_idle(chat))
    await chat.send("Two.", continues=True, **ANN)  # too late: it is a question of its own
    assert (await chat.result("2")).transcript == "Two."


async def test_what_another_person_says_meanwhile_is_answered_by_itself(world: World, chat: Chat) -> None:
    await chat.send("One.", may_continue=True, **ANN)
    await chat.send("Two.", continues=True, user="8")
    assert [(await chat.result(number)).transcript for number in ("1", "2")] == ["One.", "Two."]


async def test_a_part_that_is_delivered_twice_is_joined_once(world: World, chat: Chat) -> None:
    await chat.send("One.", may_continue=True, **ANN)
    for _ in range(2):
        await chat.send("Two.", "2", continues=True, **ANN)
        await chat.send("One.", "1", may_continue=True, **ANN)
    assert (await chat.result("2")).transcript == "One.\nTwo."
    assert len(world.asked("infer")) == 1


async def test_a_forward_ends_the_answer_to_its_comment_and_nobody_is_told(world: World, chat: Chat) -> None:
    go_on = asyncio.Event()
    world.behaviours["infer"] = wait_for(go_on)
    await chat.send("What does he mean?", **ANN)
    await until(lambda: bool(world.asked("infer")))
    world.behaviours.pop("infer")
    await chat.send("Tea at five.", continues=True, **ANN)
    assert (await chat.result("2")).transcript == "What does he mean?\nTea at five."
    go_on.set()
    assert [request.notice for request in world.asked("reply")] == [None]
    await until(lambda: is_idle(chat))
    remembered = await chat.handle.query(Conversation.history)
    assert [exchange.user for exchange in remembered.window] == ["What does he mean?\nTea at five."]
