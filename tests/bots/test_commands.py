"""Commands, over real workflows: each obeyed, each answered in the caller's language, none answered by an error."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import commands
from bots.commands import FOR_ALL, FOR_OWNERS, Commands, described, known, parse
from bots.texts.catalogue import LANGUAGES
from bots.texts.figures import language_name
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
    assert await platform.command("privacy") == said("privacy", kept_seconds=172_800)
    assert await platform.command("frobnicate") == said("unknown-command")
    assert (await platform.command("help")).splitlines() == [said("help"), *described(FOR_ALL + FOR_OWNERS, None)]
    assert "/allow" not in await platform.command("help", owner=False)


async def test_voice(platform: Platform, world: World) -> None:
    listed = "Joe (English), Thorsten (German)"
    first = said("voice", mode=said("voice-on"), layout=said("voice-text"), voices=listed)
    assert await platform.command("voice") == first
    assert await platform.command("voice always") == said("voice-always")
    assert await platform.command("voice Off") == said("voice-off")
    assert await platform.command("voice Caption") == said("voice-caption")
    last = said("voice", mode=said("voice-off"), layout=said("voice-caption"), voices=listed)
    assert await platform.command("voice") == last
    assert await platform.command("voice THORSTEN") == said("voice-chosen", voice=VOICES[1])
    assert await platform.command("voice Thorsten (German)") == said("voice-chosen", voice=VOICES[1])
    assert await platform.command("voice deutsch", language="de") == said("voice-chosen", "de", voice=VOICES[1])
    assert await platform.command("voice auto") == said("status-voice-auto")
    assert (await settings(platform)).voice is None
    assert await platform.command("voice Thorsten") == said("voice-chosen", voice=VOICES[1])
    assert await platform.command("voice nobody") == said("voice-unknown", voices=listed)
    assert await settings(platform) == ChatSettings(reply_mode=ReplyMode.OFF, layout=Layout.CAPTION, voice=VOICES[1])
    assert await platform.command("voice text") == said("voice-text")
    assert (await settings(platform)).layout is Layout.TEXT


async def test_time_zone(platform: Platform, world: World) -> None:
    assert await platform.command("timezone") == said("timezone", now=said("timezone-auto"))
    assert await platform.command("timezone europe/berlin") == said("timezone-chosen", chosen="Europe/Berlin")
    now = said("timezone-now", chosen="Europe/Berlin")
    assert await platform.command("timezone") == said("timezone", now=now)
    assert now == "Your time zone is Berlin."
    assert await platform.command("timezone ../../etc/passwd") == said("timezone-unknown")
    assert (await settings(platform)).time_zone == "Europe/Berlin"
    assert await platform.command("timezone Auto") == said("timezone-auto")
    assert (await settings(platform)).time_zone is None


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        *(("Europe/Berlin", "Europe/Berlin"), ("AMERICA/new_york", "America/New_York"), ("utc", "UTC")),
        *(("berlin", "Europe/Berlin"), ("New York", "America/New_York"), ("  hong   kong ", "Asia/Hong_Kong")),
        *(("Etc/GMT+3", "Etc/GMT+3"), ("Buenos Aires", "America/Buenos_Aires"), ("Asia / Tokyo", None)),
        *(("", None), ("Europe", None), ("Atlantis", None), ("../UTC", None), ("/UTC", None), ("localtime", None)),
        *(("Berlin\x00", None), ("x" * 5000, None), ("İstanbul", "Asia/Istanbul")),
        *(("São Paulo", "America/Sao_Paulo"), ("Londres", None)),
    ],
)
def test_time_zones_as_people_write_them(written: str, zone: str | None) -> None:
    assert commands.find_time_zone(written) == zone


@pytest.mark.parametrize(
    ("written", "language", "zone"),
    [("Londres", "es", "Europe/London"), ("Rom", "de", "Europe/Rome"), ("Le Caire", "fr", "Africa/Cairo")],
)
def test_cities_as_the_language_calls_them(written: str, language: str, zone: str) -> None:
    assert commands.find_time_zone(written, language) == zone


async def test_language(platform: Platform, world: World) -> None:
    known = ", ".join(language_name(code, "en") for code in commands.LANGUAGES)
    first = said("language", now=said("language-auto"), languages=known)
    assert await platform.command("language") == first
    assert await platform.command("language DE") == said("language-chosen", chosen="de")
    now = said("language-now", chosen="de")
    assert await platform.command("language") == said("language", now=now, languages=known)
    assert await platform.command("language Spanisch", language="de") == said("language-chosen", "de", chosen="es")
    assert await platform.command("language german") == "From now on I'll listen for German."
    assert await platform.command("language klingon") == said("language-unknown", languages=known)
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


CHOSEN: dict[str, str] = {
    "mode": said("voice-on"),
    "layout": said("voice-text"),
    "voice": said("status-voice-auto"),
    "listens": said("language-auto"),
    "zone": said("timezone-auto"),
}
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
    assert await platform.command("status", thread="5") == said(
        "status", queue=0, **CHOSEN | {"mode": said("voice-off")}
    )
    assert await platform.command("status") == said("status", queue=0, **CHOSEN)


async def started(platform: Platform, *threads: str) -> None:
    """Have conversations begin in topics of chat 1."""
    for thread in threads:
        await platform.command("voice off", thread=thread)

    async def listed() -> bool:
        query = f"Chat = '{platform.name}/1' AND WorkflowType = 'Conversation'"
        return (await platform.client.count_workflows(query)).count == len(threads)

    await until(listed)


async def test_a_topic_is_forgotten_by_itself(platform: Platform, world: World) -> None:
    await started(platform, "5", "6")
    assert await platform.command("forget", thread="5") == said("forgotten-topic")
    await until(lambda: bool(world.asked("forget")))
    (asked,) = world.asked("forget")
    assert (asked.chat, asked.thread, asked.whole_chat) == ("1", "5", False)
    assert await platform.command("forget") == said("forgotten-topic"), "the topics stay, and that is said"


@pytest.mark.parametrize(("word", "thread"), [("all", None), ("Alles", "5"), (" todo ", "7")])
async def test_a_whole_chat_is_forgotten(platform: Platform, world: World, word: str, thread: str | None) -> None:
    await started(platform, "5", "6")
    await platform.client.get_workflow_handle(conversation_id(platform.name, "1", "6")).terminate()
    assert await platform.command(f"forget {word}", thread=thread) == said("forgotten-all", topics=2)
    await until(lambda: len(world.asked("forget")) == 2)
    asked = {(request.thread, request.whole_chat) for request in world.asked("forget")}
    assert asked == {("5", False), (None, True)}, "a topic that does not run is forgotten with the chat"


async def test_a_chat_without_topics_is_forgotten_as_a_whole(platform: Platform, world: World) -> None:
    assert await platform.command("forget all") == said("forgotten")
    await until(lambda: bool(world.asked("forget")))
    assert world.asked("forget")[0].whole_chat


@pytest.mark.parametrize("what", ["my name", "al", "me", "all of it"])
async def test_what_is_not_understood_is_not_forgotten(platform: Platform, world: World, what: str) -> None:
    assert await platform.command(f"forget {what}") == said("forget-what")
    assert not world.asked("forget")


async def test_again(platform: Platform, world: World) -> None:
    assert await platform.command("again") == said("again-none")
    await ask(platform, "hello")
    assert await platform.command("again", message="77", language="de") == said("again", "de")
    await until(lambda: len(world.asked("reply")) == 2)
    first, repeated = world.asked("reply")
    assert (repeated.to.message, repeated.to.language, repeated.text) == ("77", "de", first.text)
    platform.commands = Commands(platform.client, VOICES, retention_hours=48, shows_outcomes_alone=True)
    assert await platform.command("again") == first.text
    assert len(world.asked("reply")) == 2


EVERYTHING = (
    *("start", "help", "new", "voice", "voice on", "voice off", "voice always", "voice joe", "voice x"),
    *(
        "voice caption",
        "voice text",
        "language",
        "language de",
        "language auto",
        "language x",
        "status",
        "cancel",
        "again",
    ),
    *("timezone", "timezone berlin", "timezone auto", "timezone x"),
    *("history", "forget", "forget all", "forget x", "privacy", "allow b"),
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
