"""The inbox, over real workflows: who is let in, what is refused, what is obeyed, and what a fault leaves behind."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio.service import RPCError, RPCStatusCode

from activities.error_codes import ErrorCode
from activities.values import AudioSource
from bots import access, inbox
from bots.access import Policy
from bots.inbox import InboundLimits
from bots.intake import ATTACHMENTS, MAX_TEXT_CHARS, InboundMessage
from tests.bots.conftest import CAPS, POLICY, Platform, said
from tests.support.encryption import opened_history
from tests.support.waiting import until
from tests.support.world import World
from workflows.access.contracts import AccessChange, AccessView, Heard, Hold, Permission, UserLimits
from workflows.access.workflow import Access
from workflows.names import access_id, conversation_id, voice_message_id
from workflows.voice.contracts import VoiceMessageRequest

STRANGER = said("not-allowed", user="bob")


async def accepted(platform: Platform, inbound: InboundMessage) -> VoiceMessageRequest:
    """Read what the conversation was signalled, and nothing else."""
    conversation = conversation_id(platform.name, inbound.chat, inbound.thread)
    history = await opened_history(platform.client.get_workflow_handle(conversation))
    signalled = [
        event.workflow_execution_signaled_event_attributes.input
        for event in history.events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    (request,) = await platform.client.data_converter.decode(signalled[-1].payloads, [VoiceMessageRequest])
    assert isinstance(request, VoiceMessageRequest)
    return request


async def ignored(platform: Platform, inbound: InboundMessage) -> bool:
    """Tell whether a message met with silence, and left nothing behind."""
    answer = await platform.receive(inbound)
    with pytest.raises(RPCError) as missing:
        await platform.signals(inbound.chat)
    return answer is None and missing.value.status is RPCStatusCode.NOT_FOUND


async def test_a_message_is_safe_while_no_worker_is_up(platform: Platform) -> None:
    inbound = platform.inbound(
        sender="Ada", text="t" * 9000, language="de-AT", quoted="q" * 3000, thread="5", group="-1", chat="-1"
    )
    assert await platform.receive(inbound) is None
    request = await accepted(platform, inbound)
    assert (request.user, request.sender, request.language, request.thread) == ("ada", "Ada", "de", "5")
    assert (request.shared, request.limits, request.audio) == (True, CAPS.chat, None)
    assert (len(request.text or ""), len(request.quoted or "")) == (MAX_TEXT_CHARS, 2000)
    assert request.remark is None


async def test_what_is_written_beside_a_recording_is_a_remark(platform: Platform) -> None:
    recording = AudioSource(locator="f1")
    inbound = platform.inbound(chat="beside", audio=recording, text="/new is what he says?")
    assert await platform.receive(inbound) is None
    request = await accepted(platform, inbound)
    assert (request.audio, request.text, request.remark) == (recording, None, "/new is what he says?")


async def test_an_answer_comes_through_the_conversation(platform: Platform, world: World) -> None:
    platform.inbox = platform.open_inbox(accompanied=True)
    inbound = platform.voice(sender="Ada")
    assert await platform.receive(inbound) is None
    turn = platform.client.get_workflow_handle(voice_message_id(platform.name, "ada", inbound.message))
    await until(lambda: bool(world.answers()))
    await turn.result()
    assert world.asked("accompany")
    usage = await platform.client.get_workflow_handle_for(Access.run, access_id(platform.name)).query(Access.usage)
    assert usage["ada"].messages == 1


async def test_the_same_message_again_is_answered_once(platform: Platform, world: World) -> None:
    inbound = platform.inbound()
    for _ in range(3):
        assert await platform.receive(inbound) is None
    await platform.receive(platform.inbound(text="second"))
    await until(lambda: len(world.answers()) == 2)
    assert [answer for answer in world.answers() if "hello" in answer] == ["You said hello. That is all."]


async def test_owners_and_guests_are_let_in_and_strangers_are_told(platform: Platform) -> None:
    for user in ("owner", "ada"):
        assert await platform.receive(platform.inbound(user)) is None
        assert await platform.signals(user) == 1
    assert await platform.receive(platform.inbound("bob")) == STRANGER
    assert await platform.receive(platform.voice("eve", language="de")) == said("not-allowed", "de", user="eve")
    assert await platform.receive(platform.inbound("cid", "/start")) == said("not-allowed", user="cid")
    assert await platform.receive(platform.inbound("cid", "/help")) == said("not-allowed", user="cid")
    assert await ignored(platform, platform.inbound("bob")), "said a moment ago"


async def test_in_a_group_june_answers_what_is_said_to_it(platform: Platform) -> None:
    assert await ignored(platform, platform.inbound("bob", group="-1", chat="-1", addressed=False))
    assert await platform.receive(platform.inbound("bob", group="-1", chat="-1")) is None
    assert await platform.signals("-1") == 1
    assert await platform.receive(platform.inbound("bob", group="-2", chat="-2", addressed=False)) is None
    assert await platform.signals("-2") == 1
    assert await ignored(platform, platform.inbound("bob", group="-3", chat="-3", addressed=False))
    assert await platform.receive(platform.inbound("bob", group="-3", chat="-3")) == STRANGER


async def test_a_command_to_another_bot_of_the_group_is_none_of_june_s_business(platform: Platform) -> None:
    group: dict[str, Any] = {"group": "-1", "chat": "-1", "addressed": False}
    assert await ignored(platform, platform.inbound("bob", "/weather tomorrow", **group))
    assert await platform.receive(platform.inbound("bob", "/privacy", **group))
    assert await platform.receive(platform.inbound("bob", "/weather", group="-1", chat="-1")) == said("unknown-command")


@pytest.mark.parametrize(
    ("hold", "key"),
    [
        (Hold(messages_until=30), ErrorCode.USER_RATE_LIMITED),
        (Hold(voice_until=80_000), ErrorCode.USER_VOICE_SPENT),
        (Hold(messages_until=7200, voice_until=500_000), None),
        (Hold(messages_until=-1, voice_until=-1), None),
    ],
)
def test_a_hold_from_before_the_clock_was_set_back_is_none(
    platform: Platform, hold: Hold, key: ErrorCode | None
) -> None:
    view = AccessView(holds={"ada": Hold(**{name: time.time() + at for name, at in hold.model_dump().items() if at})})
    notice = platform.inbox._refusal(platform.voice(), access.Admission(POLICY, view))
    assert (notice.key if notice else None) == key


async def test_what_owners_say_holds_at_once(platform: Platform, world: World) -> None:
    await platform.change(AccessChange(id="bob", standing=Permission.ALLOWED))
    assert await platform.receive(platform.inbound("bob")) is None
    await platform.change(AccessChange(id="bob", standing=Permission.DENIED))
    assert await platform.receive(platform.inbound("bob")) == STRANGER
    await platform.change(AccessChange(id="bob", standing=Permission.BLOCKED))
    platform.inbox = platform.open_inbox()
    assert await platform.receive(platform.inbound("bob")) is None
    assert await platform.receive(platform.inbound("bob", "/start")) is None
    assert await platform.signals("bob") == 1
    await platform.change(AccessChange(id="-3", standing=Permission.OPEN))
    assert await platform.receive(platform.inbound("eve", group="-3", chat="-3", addressed=False)) is None
    assert await platform.signals("-3") == 1


@pytest.mark.parametrize(
    ("key", "params", "more"),
    [
        ("mentioned", {}, {"text": None}),
        ("mentioned", {}, {"text": " \n"}),
        *((f"attachment-{kind}", {}, {"text": None, "attachment": kind}) for kind in ATTACHMENTS),
        ("unsupported", {}, {"text": "", "attachment": "story"}),
        ("audio-too-large", {"limit_bytes": 20_000_000}, {"claimed_bytes": 20_000_001}),
        ("audio-too-long", {"limit_seconds": 600}, {"audio_seconds": 600.5}),
    ],
)
async def test_what_is_refused_before_anything_is_downloaded(
    platform: Platform, key: str, params: dict[str, Any], more: dict[str, Any]
) -> None:
    inbound = platform.inbound(**more) if "text" in more else platform.voice(**more)
    assert await platform.receive(inbound) == said(key, **params)
    assert await ignored(platform, inbound), "said a moment ago"
    assert await platform.receive(replace(inbound, awaited=True)), "the page would wait for ever"


async def test_a_picture_with_a_question_is_answered_for_the_question(platform: Platform) -> None:
    inbound = platform.inbound(text="What is this?", attachment="photo")
    assert await platform.receive(inbound) is None
    assert ((await accepted(platform, inbound)).text or "").startswith("What is this?\n(A photo was attached")


@pytest.mark.parametrize("attachment", [None, "photo", "story"])
async def test_in_an_open_group_pictures_are_for_the_others(platform: Platform, attachment: str | None) -> None:
    group: dict[str, Any] = {"group": "-2", "chat": "-2", "attachment": attachment}
    assert await ignored(platform, platform.inbound(text=None, addressed=False, **group))
    assert await platform.receive(platform.inbound(text=None, **group)), "one that names june is answered"


async def test_at_the_caps_it_is_taken(platform: Platform) -> None:
    assert await platform.receive(platform.voice(claimed_bytes=20_000_000, audio_seconds=600)) is None
    assert await platform.signals("ada") == 1


async def test_after_one_refusal_everything_else_gets_its_word(platform: Platform) -> None:
    photo = platform.inbound(text=None, attachment="photo")
    sticker = platform.inbound(text=None, attachment="sticker")
    assert await platform.receive(photo) == said("attachment-photo")
    assert await platform.receive(photo) is None, "an album is one matter"
    assert await platform.receive(sticker) == said("attachment-sticker")
    assert await platform.receive(platform.voice(audio_seconds=601)) == said("audio-too-long", limit_seconds=600)
    assert await platform.receive(platform.inbound(text=None)) == said("mentioned")
    assert await platform.receive(platform.inbound("owner", text=None, attachment="photo", chat="ada"))
    assert await platform.receive(replace(photo, thread="5")), "another topic"


async def test_a_photo_is_refused_again_after_a_question(platform: Platform, world: World) -> None:
    photo = platform.inbound(text=None, attachment="photo")
    for between in ("What can you see?", "/status", "/frobnicate"):
        assert await platform.receive(photo) == said("attachment-photo")
        await platform.receive(platform.inbound(text=between))
    assert await platform.receive(photo) == said("attachment-photo")


async def test_two_strangers_in_one_group_are_both_told(platform: Platform) -> None:
    group = {"group": "-3", "chat": "-3"}
    assert await platform.receive(platform.inbound("bob", **group)) == STRANGER
    assert await platform.receive(platform.inbound("eve", **group)) == said("not-allowed", user="eve")
    assert await platform.receive(platform.inbound("bob", **group)) is None
    assert await platform.receive(platform.inbound("bob", "/start", **group)) == STRANGER


async def test_a_stranger_who_was_let_in_and_out_again_is_told_again(platform: Platform, world: World) -> None:
    assert await platform.receive(platform.inbound("bob")) == STRANGER
    await platform.change(AccessChange(id="bob", standing=Permission.ALLOWED))
    assert await platform.receive(platform.inbound("bob")) is None
    await platform.change(AccessChange(id="bob", standing=Permission.DENIED))
    assert await platform.receive(platform.inbound("bob")) == STRANGER


async def test_a_person_s_limits_hold_in_all_chats(platform: Platform, world: World) -> None:
    limits = InboundLimits(user=UserLimits(messages_per_minute=2, voice_seconds_per_day=120))
    platform.inbox = platform.open_inbox(limits)
    counting = platform.client.get_workflow_handle_for(Access.run, access_id(platform.name))
    await platform.receive(platform.inbound())
    await counting.signal(Access.heard, Heard(user="ada", seconds=120))
    await counting.query(Access.usage)
    assert await platform.receive(platform.voice()) == said("user-voice-spent", limit_seconds=120)
    await platform.receive(platform.inbound())
    await counting.query(Access.usage)
    elsewhere = platform.inbound(chat="-1", group="-1")
    assert await platform.receive(elsewhere) == said("user-rate-limited", per_minute=2)
    assert await platform.receive(platform.inbound(text="/voice")), "commands are obeyed all the same"
    assert await platform.receive(platform.inbound("owner")) is None, "others may talk"


async def test_while_draining_nothing_is_taken(platform: Platform, world: World) -> None:
    assert await platform.receive(platform.inbound("owner", "/drain")) == said("drained")
    assert await platform.receive(platform.inbound()) == said("draining")
    assert await platform.receive(platform.inbound("owner")) == said("draining"), "each person is told"
    assert await platform.receive(platform.inbound(text="/start")) == said("start")
    assert await platform.receive(platform.inbound()) == said("draining"), "and again after a command"
    assert await platform.receive(platform.inbound("owner", "/drain off")) == said("drained-off")
    assert await platform.receive(platform.inbound()) is None
    assert await platform.signals("ada") == 1


async def test_commands_are_told_who_gives_them(platform: Platform, world: World) -> None:
    assert await platform.receive(platform.inbound(text="/allow bob")) == said("owners-only")
    reply = platform.inbound("owner", "/allow", about="bob", language="fr")
    assert await platform.receive(reply) == said("standing-allowed", "fr", user="bob")
    assert await platform.receive(platform.inbound("bob")) is None
    here = platform.inbound("owner", "/allow", group="-7", chat="-7", group_name="The Garden")
    assert await platform.receive(here) == said("standing-allowed-group", user="The Garden")
    await platform.receive(platform.inbound("7", sender="Bob"))
    assert await platform.receive(platform.inbound("owner", "/allow 7")) == said("standing-allowed", user="Bob")


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Have the server refuse one of the calls."""

    async def refuse(*_: object, **__: object) -> None:
        raise RPCError("scripted", RPCStatusCode.UNAVAILABLE, b"")

    with monkeypatch.context() as patch:
        patch.setattr(inbox if name == "accept" else access, name, refuse)
        yield


@pytest.mark.parametrize("call", ["read", "accept", "count"])
async def test_what_the_server_did_not_take_is_not_confirmed(
    platform: Platform, world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    inbound = platform.inbound()
    with failing(monkeypatch, call), pytest.raises(RPCError):
        await platform.receive(inbound)
    assert await platform.receive(inbound) is None, "the platform delivers it again"
    await until(lambda: bool(world.answers()))
    await platform.receive(platform.inbound(text="next"))
    await until(lambda: len(world.answers()) == 2)
    assert len([answer for answer in world.answers() if "hello" in answer]) == 1


async def test_the_platform_s_message_is_where_the_trace_begins(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = TracerProvider()
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    inbound = platform.inbound()
    await platform.receive(inbound)
    assert (await accepted(platform, inbound)).trace["traceparent"].startswith("00-")


async def test_everyone_means_everyone_but_those_who_are_shut_out(platform: Platform, world: World) -> None:
    platform.inbox = platform.open_inbox(policy=Policy(everyone=True))
    assert await platform.receive(platform.inbound("anybody")) is None
    await platform.change(AccessChange(id="anybody", standing=Permission.BLOCKED))
    assert await platform.receive(platform.inbound("anybody")) is None
    assert await platform.signals("anybody") == 1
