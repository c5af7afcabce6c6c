"""The Discord bot as a process, with the real client library, against the project's own fake Discord over TCP."""

import base64
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from activities.audio.pcm import PAUSE_SECONDS
from tests.support.audio_samples import voice_note
from tests.support.chat import eventually
from tests.support.discord_bot import BotProcess, bot_process
from tests.support.encryption import opened_history
from tests.support.platforms.discord import MENTION, FakeDiscord, Fault, running
from tests.support.platforms.discord_world import JSON, VOICE_FLAG, Upload
from tests.support.waiting import until
from workers.local.stack import Embedded

pytestmark = pytest.mark.e2e

ANSWER = "This is an answer."
QUEUED = "Got it."
HEARD = "> 🎤 This is a question."


@pytest.fixture(scope="module")
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord of this module's own; june has no message-content intent there."""
    async with running() as fake:
        yield fake


@dataclass(frozen=True)
class Scene:
    """Who and what is there; each test opens channels of its own."""

    owner: str
    guild: str
    bot: BotProcess


@pytest.fixture(scope="module")
async def scene(idle: Embedded, discord: FakeDiscord, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """The bot, with one owner, in one server."""
    log = tmp_path_factory.mktemp("discord") / "bot.log"
    owner, guild = discord.world.person("Olga"), discord.world.guild()
    allowed = {"JUNE_DISCORD_OWNERS": owner, "JUNE_DISCORD_GROUPS": guild}
    async with bot_process(idle, discord, log, **allowed) as process:
        yield Scene(owner, guild, process)


async def test_a_spoken_question_is_answered_by_text_and_a_native_voice_message(
    discord: FakeDiscord, scene: Scene
) -> None:
    private = discord.world.private(scene.owner)
    asked = await discord.voice(private, scene.owner, voice_note())
    await until(lambda: discord.voices(private))
    (text,), (voice,) = discord.texts(private), discord.voices(private)
    assert text["content"] == f"{HEARD}\n{ANSWER}"
    assert voice["flags"] == VOICE_FLAG
    (file,) = voice["attachments"]
    assert (file["content_type"], file["filename"]) == ("audio/ogg", "voice-message.ogg")
    assert file["duration_secs"] == pytest.approx(0.1 + PAUSE_SECONDS, abs=0.05)
    assert 1 <= len(base64.b64decode(file["waveform"])) <= 256
    assert discord.file(voice).startswith(b"OggS")
    assert [m["message_reference"]["message_id"] for m in (text, voice)] == [asked, asked]
    assert ("POST", f"/channels/{private}/typing") in discord.requests


async def test_in_a_server_june_answers_those_who_name_it_or_reply_to_it(discord: FakeDiscord, scene: Scene) -> None:
    channel, member = discord.world.channel(scene.guild), discord.world.person("Mia")
    await discord.say(channel, member, "nobody in particular")
    named = await discord.say(channel, member, f"{MENTION} what is new?")
    await until(lambda: discord.texts(channel))
    (answer,) = discord.texts(channel)
    assert (answer["content"], answer["message_reference"]["message_id"]) == (ANSWER, named)
    spoken = await discord.voice(channel, member, voice_note(), reply_to=answer["id"])
    await until(lambda: discord.voices(channel))
    assert discord.voices(channel)[0]["message_reference"]["message_id"] == spoken
    assert len(answers(discord, channel)) == 3


async def test_a_thread_is_a_conversation_of_its_own(idle: Embedded, discord: FakeDiscord, scene: Scene) -> None:
    channel = discord.world.channel(scene.guild)
    thread = discord.world.channel(scene.guild, "aside", parent=channel)
    await discord.say(thread, scene.owner, f"{MENTION} hello")
    await until(lambda: discord.texts(thread))
    assert not discord.sent(channel)
    assert (await idle.client.get_workflow_handle(f"chat/discord/{thread}").describe()).status


async def test_an_edit_is_not_another_message(discord: FakeDiscord, scene: Scene) -> None:
    private = discord.world.private(scene.owner)
    asked = await discord.say(private, scene.owner, "how old are you?")
    await until(lambda: answers_to(discord, private, asked))
    await discord.edit(private, asked, "how old am I?")
    again = await discord.say(private, scene.owner, "thank you")
    await until(lambda: answers_to(discord, private, again))
    assert len(answers_to(discord, private, asked)) == 1


async def test_strangers_are_told_so_once_and_bots_are_not(discord: FakeDiscord, scene: Scene) -> None:
    stranger = discord.world.person("Sid")
    private = discord.world.private(stranger)
    await discord.say(private, stranger, "let me in")
    await discord.say(private, stranger, "please")
    await until(lambda: discord.sent(private))
    robot = discord.world.person("robot")
    discord.world.users[robot]["bot"] = True
    channel = discord.world.channel(scene.guild)
    await discord.say(channel, robot, f"{MENTION} beep")
    await discord.say(channel, scene.owner, f"{MENTION} hello")
    await until(lambda: discord.sent(channel))
    assert stranger in discord.sent(private)[0]["content"]
    assert (len(discord.sent(private)), len(discord.sent(channel))) == (1, 1)


async def test_slash_commands_are_answered_to_their_giver_alone(discord: FakeDiscord, scene: Scene) -> None:
    private = discord.world.private(scene.owner)
    before = len(discord.sent(private))
    given = await discord.slash(private, scene.owner, "language", "de", locale="de")
    assert given.deferred
    assert given.ephemeral
    assert given.answers[0] == "Von jetzt an erwarte ich, dass du Deutsch sprichst."
    status = await discord.slash(private, scene.owner, "status")
    assert "I listen for German." in status.answers[0]
    await discord.slash(private, scene.owner, "language", "auto")
    assert len(discord.sent(private)) == before
    new = next(command for command in discord.commands if command["name"] == "new")
    assert new["description"] == "start over"
    assert new["description_localizations"]["fr"]


async def test_an_owner_opens_a_channel_and_only_owners_can(discord: FakeDiscord, scene: Scene) -> None:
    channel, member = discord.world.channel(scene.guild), discord.world.person("Max")
    refused = await discord.slash(channel, member, "allow", "open")
    opened = await discord.slash(channel, scene.owner, "allow", "open")
    assert "owners" in refused.answers[0]
    assert "#general" in opened.answers[0]
    assert channel not in opened.answers[0]


async def test_the_menu_of_a_voice_message_works_without_the_intent(discord: FakeDiscord, scene: Scene) -> None:
    channel, member = discord.world.channel(scene.guild), discord.world.person("Ann")
    spoken = await discord.voice(channel, member, voice_note())
    chosen = await discord.choose(channel, scene.owner, spoken)
    await until(lambda: discord.voices(channel))
    assert (chosen.deleted, chosen.answers) == (True, [])
    assert discord.texts(channel)[0]["content"].startswith(HEARD)
    await discord.choose(channel, scene.owner, spoken)
    assert len(discord.sent(channel)) == 2, "answered once"


async def test_the_menu_survives_a_kill_and_the_link_is_in_no_history(
    idle: Embedded, discord: FakeDiscord, scene: Scene
) -> None:
    channel, member = discord.world.channel(scene.guild), discord.world.person("Kim")
    spoken = await discord.voice(channel, member, voice_note())
    reads = f"/channels/{channel}/messages/{spoken}"
    held = Fault("GET", f"^{reads}$", 503, times=1000)
    discord.faults.append(held)
    await discord.choose(channel, scene.owner, spoken)
    await until(lambda: ("GET", reads) in discord.requests)
    await scene.bot.end(signal.SIGKILL)
    discord.faults.remove(held)
    await scene.bot.start()
    await until(lambda: discord.voices(channel))
    assert [message["content"] for message in discord.sent(channel)] == [f"{HEARD}\n{ANSWER}", ""]
    for workflow in (f"voice/discord/{channel}/{spoken}", f"chat/discord/{channel}"):
        history = str((await opened_history(idle.client.get_workflow_handle(workflow))).events)
        assert (f"/{spoken}/" in history, "attachments/" in history) == (True, False)
        assert "hm=secret" not in history


async def test_june_speaks_the_language_of_the_server_until_a_person_s_own_is_known(
    discord: FakeDiscord, scene: Scene
) -> None:
    guild, person = discord.world.guild(locale="fr"), discord.world.person("Jo")
    first, second = discord.world.channel(guild), discord.world.channel(guild)
    await discord.gateway.emit("GUILD_CREATE", discord.gateway.guild(guild))
    large = Upload("song.mp3", bytes(20_000_001), "audio/mpeg")
    await discord.slash(first, scene.owner, "allow", person)
    await discord.say(first, person, MENTION, files=(large,))
    await until(lambda: discord.sent(first))
    await discord.slash(first, person, "help", locale="de")
    await discord.say(second, person, MENTION, files=(large,))
    await until(lambda: discord.sent(second))
    assert "trop volumineux" in discord.sent(first)[0]["content"]
    assert "zu groß" in discord.sent(second)[0]["content"]


async def test_a_dropped_connection_loses_and_doubles_nothing(discord: FakeDiscord, scene: Scene) -> None:
    private, asked = discord.world.private(scene.owner), []
    for number in range(6):
        asked.append(await discord.say(private, scene.owner, f"question {number}"))
        if number in {1, 3}:
            assert await discord.gateway.drop() == 1
            asked.append(await discord.say(private, scene.owner, f"said in between {number}"))
            await until(lambda: discord.gateway.connected)
    await until(lambda: all(answers_to(discord, private, message) for message in asked))
    assert [len(answers_to(discord, private, message)) for message in asked] == [1] * 8
    assert discord.gateway.connected[0].resumed == 2


async def test_what_was_said_while_the_bot_was_down_is_answered(discord: FakeDiscord, scene: Scene) -> None:
    channel, private = discord.world.channel(scene.guild), discord.world.private(scene.owner)
    first = await discord.say(channel, scene.owner, f"{MENTION} hello")
    await until(lambda: answers_to(discord, channel, first))
    before = len(answers(discord, private))
    await scene.bot.end()
    missed = [
        (channel, await discord.say(channel, scene.owner, f"{MENTION} are you there?")),
        (private, await discord.voice(private, scene.owner, voice_note())),
        (private, await discord.say(private, scene.owner, "and now?")),
    ]
    await discord.say(private, scene.owner, "/new")
    await discord.say(channel, scene.owner, "not said to june")
    await scene.bot.start()
    await until(lambda: all(answers_to(discord, *message) for message in missed))
    live = await discord.say(private, scene.owner, "good to have you back")
    await until(lambda: answers_to(discord, private, live))
    assert [answers_to(discord, *message) for message in missed] == [[ANSWER], [f"{HEARD}\n{ANSWER}", ""], [ANSWER]]
    assert (len(answers(discord, channel)), len(answers(discord, private))) == (2, before + 4)


async def test_a_first_message_of_somebody_known_is_found_after_a_downtime(discord: FakeDiscord, scene: Scene) -> None:
    private = discord.world.private(scene.owner)
    await scene.bot.end(signal.SIGKILL)
    asked = await discord.say(private, scene.owner, "was that a kill?")
    await scene.bot.start()
    await until(lambda: answers_to(discord, private, asked))


async def test_odd_events_and_odd_history_cost_no_other_message(discord: FakeDiscord, scene: Scene) -> None:
    private, channel = discord.world.private(scene.owner), discord.world.channel(scene.guild)
    greeting = await discord.say(channel, scene.owner, f"{MENTION} hello")
    await until(lambda: answers_to(discord, channel, greeting))
    sessions = len(discord.gateway.sessions)
    null_guild, no_author = (discord.world.post(private, scene.owner, {"content": "are you there?"}, []) for _ in "12")
    await discord.gateway.emit("MESSAGE_CREATE", null_guild | {"guild_id": None, "thread": None, "components": None})
    await discord.gateway.emit("MESSAGE_CREATE", no_author | {"author": None})
    await discord.gateway.emit("GUILD_CREATE", {"id": scene.guild, "channels": None})
    await until(lambda: answers_to(discord, private, null_guild["id"]))
    asked = await discord.say(channel, scene.owner, f"{MENTION} and now?")
    await until(lambda: answers_to(discord, channel, asked))
    assert len(discord.gateway.sessions) == sessions, "one connection all the while"
    await scene.bot.end()
    missed = await discord.say(channel, scene.owner, f"{MENTION} did you miss this?")
    for place in (private, channel):
        discord.world.post(place, scene.owner, {"content": MENTION}, []).update(author=None, type="odd")
    await scene.bot.start()
    await until(lambda: answers_to(discord, channel, missed))
    assert "Traceback" not in scene.bot.log()
    discord.world.messages[private] = [m for m in discord.world.messages[private] if m["author"]]
    discord.world.messages[channel] = [m for m in discord.world.messages[channel] if m["author"]]


async def test_a_voice_message_is_answered_whatever_its_type_is_said_to_be(discord: FakeDiscord, scene: Scene) -> None:
    private = discord.world.private(scene.owner)
    message = discord.world.post(private, scene.owner, {"content": ""}, [Upload("file", voice_note(), "")])
    message["flags"] = VOICE_FLAG
    message["attachments"][0]["content_type"] = "application/octet-stream"
    await discord.tell("MESSAGE_CREATE", message)
    await until(lambda: len(answers_to(discord, private, message["id"])) == 2)
    assert answers_to(discord, private, message["id"])[0] == f"{HEARD}\n{ANSWER}"


async def test_a_photo_is_answered_for_its_text_or_named(discord: FakeDiscord, scene: Scene) -> None:
    channel, photo = discord.world.channel(scene.guild), Upload("cat.png", b"PNG", "image/png")
    asked = await discord.say(channel, scene.owner, f"{MENTION} what is a cat?", files=(photo,))
    alone = await discord.say(channel, scene.owner, MENTION, files=(photo,))
    named = await discord.say(channel, scene.owner, MENTION)
    await until(lambda: all(answers_to(discord, channel, message) for message in (asked, alone, named)))
    assert answers_to(discord, channel, asked) == [ANSWER]
    assert "photos" in answers_to(discord, channel, alone)[0]
    assert "I'm here" in answers_to(discord, channel, named)[0]


@pytest.mark.parametrize("code", [50173, 50013])
async def test_where_voice_messages_are_forbidden_the_voice_comes_as_a_file(
    discord: FakeDiscord, scene: Scene, code: int
) -> None:
    channel = discord.world.channel(scene.guild)
    discord.world.no_voice[channel] = code
    greeting = await discord.say(channel, scene.owner, f"{MENTION} hello")
    await until(lambda: answers_to(discord, channel, greeting))
    await discord.voice(channel, scene.owner, voice_note(), reply_to=discord.sent(channel)[0]["id"])
    await until(lambda: len(answers(discord, channel)) == 3)
    spoken = answers(discord, channel)[2]
    assert spoken["flags"] == 0
    assert discord.file(spoken).startswith(b"OggS")


async def test_where_neither_voice_nor_files_are_allowed_text_is_enough(
    idle: Embedded, discord: FakeDiscord, scene: Scene
) -> None:
    person = discord.world.person("Tom")
    await discord.slash(discord.world.private(scene.owner), scene.owner, "allow", person)
    private = discord.world.private(person)
    discord.world.no_voice[private], discord.world.no_files[private] = 50173, 50013
    spoken = await discord.voice(private, person, voice_note())
    turn = await eventually(idle.client.get_workflow_handle(f"voice/discord/{private}/{spoken}").result)
    assert (turn["status"], turn["error"]) == ("answered", "voice-forbidden")
    assert [message["content"] for message in discord.sent(private)] == [f"{HEARD}\n{ANSWER}"]


async def test_closed_private_messages_end_the_turn_quietly(idle: Embedded, discord: FakeDiscord, scene: Scene) -> None:
    person = discord.world.person("Eve")
    await discord.slash(discord.world.private(scene.owner), scene.owner, "allow", person)
    private = discord.world.private(person)
    message = discord.world.post(private, person, {"content": "hello"}, [])
    discord.world.closed[private] = 50007
    await discord.tell("MESSAGE_CREATE", message)
    turn = await eventually(idle.client.get_workflow_handle(f"voice/discord/{private}/{message['id']}").result)
    assert turn["error"] == "chat-gone"
    assert not discord.sent(private)


async def test_a_file_that_is_too_large_is_refused_unseen(discord: FakeDiscord, scene: Scene) -> None:
    private = discord.world.private(scene.owner)
    large = Upload("song.mp3", bytes(20_000_001), "audio/mpeg")
    asked = await discord.say(private, scene.owner, files=(large,))
    await until(lambda: answers_to(discord, private, asked))
    assert answers_to(discord, private, asked) == ["That recording is too large. I can take up to 20 MB."]


async def test_faults_of_discord_cost_only_time(discord: FakeDiscord, scene: Scene) -> None:
    private = discord.world.private(scene.owner)
    posts, reads = f"^/channels/{private}/messages$", f"^/channels/{private}/messages/"
    discord.faults += [
        Fault("POST", posts, 502, after=True),
        Fault("POST", posts, 429, retry_after=0.2),
        Fault("POST", posts, 429, retry_after=1, via=False),
        Fault("POST", posts, 503),
        Fault("GET", reads, 500),
    ]
    discord.world.stale = 1
    asked = await discord.voice(private, scene.owner, voice_note())
    await until(lambda: len(answers_to(discord, private, asked)) == 2)
    assert [fault.times for fault in discord.faults] == [0] * 5
    later = await discord.say(private, scene.owner, "thank you")
    await until(lambda: answers_to(discord, private, later))
    assert len(answers_to(discord, private, asked)) == 2, "nothing was said twice"


def answers(discord: FakeDiscord, channel: str) -> list[JSON]:
    """List what june sent, beside that a message has to wait: a slow machine says so where a fast one does not."""
    return [sent for sent in discord.sent(channel) if not sent["content"].startswith(QUEUED)]


def answers_to(discord: FakeDiscord, channel: str, message: str) -> list[str]:
    """List the answers that reply to a message."""
    return [
        answer["content"]
        for answer in answers(discord, channel)
        if (answer.get("message_reference") or {}).get("message_id") == message
    ]
