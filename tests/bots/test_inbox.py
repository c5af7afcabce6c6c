"""The inbox, over real workflows: who is let in, what is refused, what is obeyed, and what a fault leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from temporalio.service import RPCError, RPCStatusCode

from activities.values import AudioSource
from bots import access, inbox
from bots.access import Policy
from bots.inbox import InboundLimits
from bots.intake import MAX_TEXT_CHARS, InboundMessage
from tests.bots.conftest import CAPS, Platform, said
from tests.support.waiting import until
from tests.support.world import World
from workflows.access.contracts import AccessChange, Heard, Permission, UserLimits
from workflows.access.workflow import Access
from workflows.names import access_id, conversation_id, voice_message_id
from workflows.voice.contracts import VoiceMessageRequest

STRANGER = said("not-allowed", user="bob")


async def accepted(platform: Platform, inbound: InboundMessage) -> VoiceMessageRequest:
    """Read what the conversation was signalled, and nothing else."""
    conversation = conversation_id(platform.name, inbound.chat, inbound.thread)
    history = await platform.client.get_workflow_handle(conversation).fetch_history()
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
    assert await ignored(platform, platform.inbound("cid")), "said a moment ago"


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
        ("unsupported", {}, {"text": None}),
        ("unsupported", {}, {"text": " \n"}),
        ("audio-too-large", {"limit_bytes": 20_000_000}, {"claimed_bytes": 20_000_001}),
        ("audio-too-long", {"limit_seconds": 600}, {"audio_seconds": 600.5}),
    ],
)
async def test_what_is_refused_before_anything_is_downloaded(
    platform: Platform, key: str, params: dict[str, Any], more: dict[str, Any]
) -> None:
    inbound = platform.inbound(**more) if "text" in more else platform.voice(**more)
    assert await platform.receive(inbound) == said(key, **params)
    assert await ignored(platform, inbound), "a refusal is said once a minute"


async def test_at_the_caps_it_is_taken(platform: Platform) -> None:
    assert await platform.receive(platform.voice(claimed_bytes=20_000_000, audio_seconds=600)) is None
    assert await platform.signals("ada") == 1


async def test_refusals_are_said_once_a_minute_in_each_chat(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "REFUSALS_REMEMBERED", 2)
    assert await platform.receive(platform.inbound("bob")) == STRANGER
    assert await platform.receive(platform.inbound("bob")) is None
    assert await platform.receive(platform.inbound("eve"))
    assert len(platform.inbox._refused) == 2
    assert await platform.receive(platform.inbound("cid"))
    assert len(platform.inbox._refused) == 2, "what is remembered of refusals is bounded"
    monkeypatch.setattr(inbox, "REFUSAL_PAUSE_SECONDS", 0)
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
    assert await platform.receive(platform.inbound("owner", "/drain off")) == said("drained-off")
    assert await platform.receive(platform.inbound()) is None
    assert await platform.signals("ada") == 1


async def test_commands_are_told_who_gives_them(platform: Platform, world: World) -> None:
    assert await platform.receive(platform.inbound(text="/allow bob")) == said("owners-only")
    reply = platform.inbound("owner", "/allow", about="bob", language="fr")
    assert await platform.receive(reply) == said("standing-allowed", "fr", user="bob")
    assert await platform.receive(platform.inbound("bob")) is None
    here = platform.inbound("owner", "/allow", group="-7", chat="-7")
    assert await platform.receive(here) == said("standing-allowed", user="-7")


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
