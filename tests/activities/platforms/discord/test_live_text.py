"""Text while it is written: in one message that becomes the answer, calm, and gone where nothing comes of it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.platforms.discord import live_text
from activities.platforms.discord.live_text import live_content
from activities.platforms.discord.platform import DiscordPlatform
from activities.platforms.platform import MessageText, Presence
from tests.activities.platforms.discord.conftest import Scene
from tests.support.logs import june_records
from tests.support.platforms.discord import Fault
from tests.support.waiting import until

MARK = "\n-# …"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show text without a pause, and wait for no reply."""
    for name in ("FIRST_SECONDS", "EDIT_SECONDS", "HANDOVER_SECONDS"):
        monkeypatch.setattr(live_text, name, 0.0)


@asynccontextmanager
async def presence(scene: Scene, *, speaks: bool = False, captioned: bool = False) -> AsyncIterator[Presence]:
    async with scene.platform.presence(scene.to, speaks=speaks, captioned=captioned, shown=None) as shown:
        yield shown


def contents(scene: Scene) -> list[str]:
    return [message["content"] for message in scene.fake.sent(scene.chat)]


async def test_the_text_so_far_becomes_the_answer_s_first_part(scene: Scene) -> None:
    answer = "Hello there.\n\n" + "word " * 500
    async with presence(scene) as live:
        for text in ("Hello", "Hello there."):
            await live.show(text)
            assert contents(scene) == [text + MARK]
        shown = live.shown
        last = await scene.platform.send_text(scene.to, MessageText(answer, transcript="Hi?"))
    first, second = scene.fake.sent(scene.chat)
    assert (first["id"], second["id"]) == (shown, last)
    assert first["content"].startswith("> 🎤 Hi?\nHello there.\n\nword")
    assert first["message_reference"]["message_id"] == scene.to.message
    assert "message_reference" not in second
    assert ("DELETE", f"/channels/{scene.chat}/messages/{shown}") not in scene.fake.requests


async def test_a_short_answer_comes_as_one_message_that_never_changes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_text, "FIRST_SECONDS", 60.0)
    async with presence(scene) as live:
        await live.show("Yes.")
        assert contents(scene) == []
        await scene.platform.send_text(scene.to, MessageText("Yes."))
    assert contents(scene) == ["Yes."]
    assert scene.fake.sent(scene.chat)[0]["edited_timestamp"] is None
    async with presence(scene) as live:
        await live.show("A long answer is shown at once. " * 20)
        assert live.shown


async def test_edits_keep_the_pace_and_the_same_text_is_not_sent_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with presence(scene) as live:
        await live.show("One.")
        await live.show("One.")
        edits = len(scene.fake.edits)
        monkeypatch.setattr(live_text, "EDIT_SECONDS", 60.0)
        await live.show("One. Two.")
        await live.show("One. Two. Three.")
        assert [content for _, content in scene.fake.edits[edits:]] == ["One. Two." + MARK]
        await scene.platform.send_text(scene.to, MessageText("One. Two. Three. Four."))
    assert contents(scene) == ["One. Two. Three. Four."]


async def test_what_becomes_no_answer_is_deleted(scene: Scene) -> None:
    async with presence(scene) as live:
        await live.show("Half of")
    assert contents(scene) == []
    with suppress(asyncio.CancelledError):
        async with presence(scene) as live:
            await live.show("Half of")
            raise asyncio.CancelledError
    assert contents(scene) == []


async def test_a_sentence_of_june_s_own_gives_way_to_the_text(scene: Scene) -> None:
    async with presence(scene) as live:
        await live.tell("I'm still thinking about it.")
        await live.tell("I'm still thinking about it.")
        assert contents(scene) == ["-# I'm still thinking about it." + MARK]
        await live.show("It is")
        await live.tell("I'm still thinking about it.")
        assert contents(scene) == ["It is" + MARK]
    assert contents(scene) == []


async def test_no_text_is_left_beside_a_voice_note_that_holds_it(scene: Scene) -> None:
    async with presence(scene, speaks=True, captioned=True) as live:
        await live.show("Half of")
        assert live.shown is None


def attempt(number: int) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=number)
    return environment


async def killed(scene: Scene, text: str) -> str:
    """Show a text by a process that is gone then; return the message's id."""
    return await DiscordPlatform(scene.platform._http, scene.links).post_live(scene.to, text + MARK)


async def test_after_a_kill_the_next_attempt_goes_on_in_the_same_message(scene: Scene) -> None:
    left = await killed(scene, "Half of")

    async def go_on() -> None:
        async with presence(scene) as live:
            assert live.shown == left
            await live.show("Half of it")
            await scene.platform.send_text(scene.to, MessageText("Half of it is done."))

    await attempt(2).run(go_on)
    assert [(m["id"], m["content"]) for m in scene.fake.sent(scene.chat)] == [(left, "Half of it is done.")]


async def test_after_a_kill_no_half_text_is_left(scene: Scene) -> None:
    await killed(scene, "Half of")
    await scene.platform.send_text(scene.to, MessageText("The whole of it."))  # by a process that knows nothing of it

    async def look() -> None:
        async with presence(scene):
            pass

    await attempt(2).run(look)
    assert contents(scene) == ["The whole of it."]


async def test_a_reply_that_was_killed_ends_the_message_that_it_began_with(scene: Scene) -> None:
    left = await killed(scene, "Half of")
    for _ in range(2):
        assert await attempt(2).run(scene.platform.send_text, scene.to, MessageText("All of it.")) == left
    assert contents(scene) == ["All of it."]


async def test_an_answer_by_another_process_is_not_deleted(scene: Scene) -> None:
    async with presence(scene) as live:
        await live.show("Half of")
        other = DiscordPlatform(scene.platform._http, scene.links)
        await attempt(2).run(other.send_text, scene.to, MessageText("All of it."))
    assert contents(scene) == ["All of it."]


async def test_a_text_after_the_answer_leaves_the_answer_alone(scene: Scene) -> None:
    async with presence(scene) as live:
        await live.show("Half of")
        await scene.platform.send_text(scene.to, MessageText("All of it."))
        await scene.platform.send_text(scene.to, MessageText(notice="There is no voice."))
        again = await attempt(2).run(scene.platform.send_text, scene.to, MessageText("All of it."))
    assert contents(scene) == ["All of it.", "There is no voice."]
    assert again == scene.fake.sent(scene.chat)[0]["id"]


async def test_a_last_edit_that_fails_is_tried_again_in_the_same_message(scene: Scene) -> None:
    async with presence(scene) as live:
        await live.show("Half of")
        scene.fake.faults.append(Fault("PATCH", "messages", 503))
        with pytest.raises(ApplicationError):
            await scene.platform.send_text(scene.to, MessageText("All of it."))
    await scene.platform.send_text(scene.to, MessageText("All of it."))
    assert (contents(scene), len(scene.fake.sent(scene.chat))) == (["All of it."], 1)


@pytest.mark.parametrize("status", [400, 403])
async def test_where_edits_are_refused_the_answer_is_a_message_of_its_own(scene: Scene, status: int) -> None:
    async with presence(scene) as live:
        await live.show("Half of")
        scene.fake.faults.append(Fault("PATCH", "messages", status, times=5))
        await live.show("Half of it")
        await scene.platform.send_text(scene.to, MessageText("All of it."))
    assert contents(scene) == ["All of it."]


async def test_a_message_that_somebody_deleted_is_not_written_again(scene: Scene) -> None:
    async with presence(scene) as live:
        await live.show("Half of")
        assert live.shown
        scene.world.delete(scene.chat, live.shown)
        await live.show("Half of it")
        await live.show("Half of it is")
        assert contents(scene) == []
        await scene.platform.send_text(scene.to, MessageText("All of it."))
    assert contents(scene) == ["All of it."]


async def test_a_pause_that_discord_asks_for_is_kept(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    path = ("POST", f"/channels/{scene.chat}/messages")
    async with presence(scene) as live:
        scene.fake.faults.append(Fault("POST", "messages$", 429, retry_after=45, via=False))
        await live.show("Half of")
        await live.show("Half of it")
        assert scene.fake.requests.count(path) == 1, "not asked again"
        await scene.platform.send_text(scene.to, MessageText("All of it."))
    assert contents(scene) == ["All of it."]
    assert {record.levelname for record in june_records(caplog)} <= {"INFO", "DEBUG"}


async def test_typing_is_shown_until_the_reply(scene: Scene) -> None:
    path = ("POST", f"/channels/{scene.chat}/typing")
    async with presence(scene):
        await until(lambda: path in scene.fake.requests)
    assert not [task for task in asyncio.all_tasks() if "_repeat_typing" in repr(task.get_coro())]


@pytest.mark.parametrize("status", [403, 429, 503])
async def test_what_keeps_typing_from_being_shown_keeps_nothing_else(scene: Scene, status: int) -> None:
    scene.fake.faults.append(Fault("POST", "typing", status, via=False))
    async with presence(scene) as live:
        await until(lambda: ("POST", f"/channels/{scene.chat}/typing") in scene.fake.requests)
        await live.show("Half of")
        assert contents(scene) == ["Half of" + MARK]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Look:\n```py\nx = 1", "Look:\n```py\nx = 1\n```"),
        ("Look:\n\n| a | b", "Look:"),
        ("| a | b |\n|--", ""),
        ("| a | b |\n|---|---|\n| 1", "```\na  b\n─  ─\n1\n```"),
        ("- one\n- tw", "- one\n- tw"),
        ("> quo", "> quo"),
    ],
)
def test_a_text_that_goes_on_is_shown_with_an_end(written: str, shown: str) -> None:
    assert live_content(written) == shown + MARK


def test_no_more_is_shown_than_one_message_holds() -> None:
    assert len(live_content("word " * 1000)) <= 2000
