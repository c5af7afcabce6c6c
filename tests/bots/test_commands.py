"""Commands, over real workflows: each obeyed, each answered in the caller's language, none answered by an error."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import commands
from bots.commands import FOR_ALL, FOR_OWNERS, described, known, parse
from bots.texts.catalogue import LANGUAGES
from tests.bots.conftest import VOICES, Platform, said
from tests.support.waiting import until
from tests.support.world import World, wait_for
from workflows.names import conversation_id
from workflows.voice.contracts import ChatSettings, Layout, ReplyMode
from workflows.voice.conversation import Conversation


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/voice", ("voice", "")),
        ("  /voice@june_bot  ALWAYS \n", ("voice", "ALWAYS")),
        ("/allow 12\n34", ("allow", "12\n34")),
        ("/voice@june_bot", ("voice", "")),
        ("/etc/passwd", None),
        ("/", None),
        ("// comment", None),
        ("/Voice", None),
        ("what does /voice do", None),
        ("", None),
    ],
)
def test_what_is_a_command(text: str, command: tuple[str, str] | None) -> None:
    assert parse(text) == command


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    command = parse(text)
    assert command is None or (text.strip().startswith(f"/{command[0]}") and text.strip().endswith(command[1]))


@given(st.sampled_from(FOR_ALL + FOR_OWNERS), st.sampled_from(["", "@june", "@june_2_bot"]), st.text(max_size=50))
def test_each_command_is_read_with_whatever_follows(name: str, bot: str, argument: str) -> None:
    assert parse(f"/{name}{bot} {argument}") == (name, argument.strip())
    assert known(name)


async def settings(platform: Platform) -> ChatSettings:
    handle = platform.client.get_workflow_handle_for(Conversation.run, conversation_id(platform.name, "1"))
    return await handle.query(Conversation.settings)


async def ask(platform: Platform, text: str) -> None:
    """Have a message of chat 1 answered, and remembered."""
    await platform.receive(platform.inbound(text=text, chat="1"))

    async def remembered() -> bool:
        return text in await platform.command("history")

    await until(remembered)


async def test_what_needs_nobody(platform: Platform) -> None:
    assert await platform.command("start") == said("start")
    assert await platform.command("privacy") == said("privacy", days="2")
    assert await platform.command("frobnicate") == said("unknown-command")
    assert (await platform.command("help")).splitlines() == [said("help"), *described(None, owner=True)]
    assert "/allow" not in await platform.command("help", owner=False)


async def test_owners_commands_are_for_owners(platform: Platform) -> None:
    for name in FOR_OWNERS:
        assert await platform.command(f"{name} x", owner=False) == said("owners-only")


async def test_voice(platform: Platform, world: World) -> None:
    listed = ", ".join(VOICES)
    first = said("voice", mode=said("voice-on"), layout=said("voice-text"), voices=listed)
    assert await platform.command("voice") == first
    assert await platform.command("voice always") == said("voice-always")
    assert await platform.command("voice Off") == said("voice-off")
    assert await platform.command("voice Caption") == said("voice-caption")
    last = said("voice", mode=said("voice-off"), layout=said("voice-caption"), voices=listed)
    assert await platform.command("voice") == last
    assert await platform.command("voice THORSTEN") == said("voice-chosen", voice=VOICES[1])
    assert await platform.command("voice nobody") == said("voice-unknown", voices=listed)
    assert await settings(platform) == ChatSettings(reply_mode=ReplyMode.OFF, layout=Layout.CAPTION, voice=VOICES[1])
    assert await platform.command("voice text") == said("voice-text")
    assert (await settings(platform)).layout is Layout.TEXT


async def test_language(platform: Platform, world: World) -> None:
    codes = ", ".join(commands.LANGUAGES)
    assert await platform.command("language") == said("language", chosen="auto", codes=codes)
    assert await platform.command("language DE") == said("language-chosen", chosen="de")
    assert await platform.command("language") == said("language", chosen="de", codes=codes)
    assert await platform.command("language klingon") == said("language-unknown", codes=codes)
    assert (await settings(platform)).language == "de"
    assert await platform.command("language auto") == said("language-auto")
    assert (await settings(platform)).language is None


async def test_history_new_and_forget(platform: Platform, world: World) -> None:
    assert await platform.command("history") == said("history-empty")
    await ask(platform, "I am Ada")
    lines = (await platform.command("history")).splitlines()
    assert lines == ["🗣 I am Ada", "🤖 You said I am Ada. That is all."]
    for name in ("new", "reset"):
        assert await platform.command(name) == said("new")
    assert await platform.command("history") == said("history-empty")
    await ask(platform, "I am Bob")
    assert await platform.command("forget") == said("forgotten")
    await until(lambda: bool(world.asked("forget")))
    assert await platform.command("history") == said("history-empty")


CHOSEN = {"mode": "on", "layout": "text", "voice": "auto", "chosen": "auto"}
"""What a chat has chosen that has chosen nothing."""


async def test_status_and_cancel(platform: Platform, world: World) -> None:
    idle = said("status", queue=0, **CHOSEN)
    assert await platform.command("status") == idle, "of a chat in which nothing was said yet"
    assert await platform.command("cancel") == said("nothing-to-cancel")
    world.behaviours["infer"] = wait_for(asyncio.Event())
    for text in ("one", "two"):
        await platform.receive(platform.inbound(text=text, chat="1"))
    await until(lambda: bool(world.asked("infer")))
    assert await platform.command("status") == said("status", queue=2, **CHOSEN)
    assert await platform.command("cancel") == said("cancelled-turns", turns=2)
    await until(lambda: world.notices().count("cancelled") == 2)


async def test_a_thread_is_a_conversation_of_its_own(platform: Platform, world: World) -> None:
    await platform.command("voice off", thread="5")
    assert await platform.command("status", thread="5") == said("status", queue=0, **CHOSEN | {"mode": "off"})
    assert await platform.command("status") == said("status", queue=0, **CHOSEN)


OWNERS_SAY: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("allow bob", {}, "standing-allowed", "bob"),
    ("allow", {"about": "bob", "group": "-1"}, "standing-allowed", "bob"),
    ("allow", {"group": "-1"}, "standing-allowed", "-1"),
    ("allow open", {"group": "-1", "places": ("7",)}, "standing-open", "7"),
    ("allow open", {}, "standing-allowed", "open"),
    ("deny bob", {}, "standing-denied", "bob"),
    ("block", {"about": "bob"}, "standing-blocked", "bob"),
    ("unblock bob", {}, "standing-unblocked", "bob"),
)


async def test_owners_say_who_may_talk(platform: Platform, world: World) -> None:
    for text, inbound, key, who in OWNERS_SAY:
        assert await platform.command(text, **inbound) == said(key, user=who)


@pytest.mark.parametrize("text", ["allow", "block", "unblock", "block a b", "deny ../x", f"allow {'x' * 121}"])
async def test_owners_must_say_whom(platform: Platform, text: str) -> None:
    assert await platform.command(text) == said("whom")


async def test_stats(platform: Platform, world: World) -> None:
    assert await platform.command("stats") == said("stats", messages=0, people=0, minutes=0, running=0)
    for user in ("ada", "ada", "owner"):
        await platform.receive(platform.inbound(user, chat="1"))
    await until(lambda: len(world.answers()) == 3)
    first, *lines = (await platform.command("stats")).splitlines()
    assert first.startswith("Today: 3 messages from 2 people")
    assert lines == ["ada: 2 ✉, 0 s 🎤", "owner: 1 ✉, 0 s 🎤"]


@pytest.mark.slow
async def test_without_a_worker_people_are_told_to_try_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "TIMEOUT", timedelta(seconds=0.2))
    # The first of them starts the conversation, or Access; nobody answers for either.
    for text in ("new", "voice on", "status", "history", "allow bob", "stats"):
        assert await platform.command(text) == said("not-just-now")


EVERYTHING = (
    *("start", "help", "new", "voice", "voice on", "voice off", "voice always", "voice joe", "voice x"),
    *("voice caption", "voice text", "language", "language de", "language auto", "language x", "status", "cancel"),
    *("history", "forget", "privacy", "allow b"),
    *("allow", "deny b", "block b", "unblock b", "drain", "drain off", "stats", "frobnicate"),
)


@pytest.mark.slow
async def test_every_command_in_every_language(platform: Platform, world: World) -> None:
    english = [await platform.command(text) for text in EVERYTHING]
    for language in LANGUAGES[1:]:
        spoken = [await platform.command(text, language=f"{language}-XX") for text in EVERYTHING]
        assert not {said(key, language) for key in ("internal", "not-just-now")} & set(spoken)
        assert not any("{" in text or "…" in text for text in (*english, *spoken)), "no figure is missing"
        assert not [text for text, one, other in zip(EVERYTHING, english, spoken, strict=True) if one == other]
