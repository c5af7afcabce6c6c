"""Telegram's platform: files, text and voice notes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from telegram import Bot
from temporalio.exceptions import ApplicationError

from activities.errors import BadInputError
from activities.platforms.platform import Document, MessageText, Platform, SendUncertainError
from activities.platforms.telegram.platform import TelegramPlatform
from activities.text.message_parts import units
from activities.values import AudioSource
from tests.activities.platforms.telegram.conftest import CHAT, GROUP, NOTE, to
from tests.support import long_answer
from tests.support.long_answer import CODE, QUESTION, READ, words
from tests.support.platforms.telegram import TOKEN, BotApi, Fault


def test_it_is_a_platform(platform: TelegramPlatform) -> None:
    whole: Platform = platform
    assert (whole.platform, whole.repeatable) == ("telegram", False)


async def test_text_and_voice_reply_to_the_message(api: BotApi, platform: TelegramPlatform) -> None:
    asked = api.write(CHAT, "Hello?")
    text = await platform.send_text(to(asked, thread="9"), MessageText("Hello."))
    voice = await platform.send_voice(to(asked, thread="9"), NOTE)
    posts = api.by_bot(CHAT)
    assert [str(post.message_id) for post in posts] == [text, voice]
    assert [(post.text, post.media) for post in posts] == [("Hello.", b""), ("", NOTE.data)]
    assert [(post.answers, post.params["message_thread_id"]) for post in posts] == [(asked, "9"), (asked, "9")]
    assert posts[1].params["duration"] == "2"


async def test_a_file_replies_to_the_message(api: BotApi, platform: TelegramPlatform) -> None:
    asked = api.write(CHAT, "/code Add numbers.")
    sent = await platform.send_file(to(asked, thread="9"), Document("sums.py", b"def add(): ..."))
    (post,) = api.by_bot(CHAT)
    assert (str(post.message_id), post.media, post.answers) == (sent, b"def add(): ...", asked)
    assert (post.params["message_thread_id"], post.params["filename"], post.text) == ("9", "sums.py", "")
    assert platform.file_limit == 50_000_000


async def test_a_file_that_may_have_arrived_is_uncertain(api: BotApi, platform: TelegramPlatform) -> None:
    api.faults["sendDocument"].append(Fault(drop_after=True))
    with pytest.raises(SendUncertainError):
        await platform.send_file(to(1), Document("sums.py", b"1"))
    api.fail("sendDocument", 413, "Request Entity Too Large")
    with pytest.raises(BadInputError):
        await platform.send_file(to(1), Document("sums.py", b"1"))


async def test_a_caption_goes_with_the_note_and_ends_the_draft(api: BotApi, platform: TelegramPlatform) -> None:
    caption = "[1] " + "😀" * 510
    assert units(caption) == platform.caption_limit
    async with platform.presence(to(1), speaks=True, captioned=True, shown=None) as presence:
        await presence.show("One.")
        voice = await platform.send_voice(to(1), replace(NOTE, caption=MessageText(caption)))
        await presence.show("One. Two.")
    assert [(str(post.message_id), post.text, post.media) for post in api.by_bot(CHAT)] == [(voice, caption, NOTE.data)]
    assert [call.params["text"] for call in api.called("sendMessageDraft")] == ["One."]


async def test_a_caption_too_long_for_the_note_follows_it(api: BotApi, platform: TelegramPlatform) -> None:
    caption = MessageText(answer="- one\n" * 200, transcript="Count.")
    await platform.send_voice(to(1), replace(NOTE, caption=caption))
    note, text = api.by_bot(CHAT)
    assert (note.media, note.text) == (NOTE.data, "")
    assert text.text == "🎤 Count.\n\n" + "\n".join(["• one"] * 200)
    api.fail("sendVoice", 400, "Bad Request: message caption is too long")
    await platform.send_voice(to(2), replace(NOTE, caption=MessageText("Short.")))
    assert [(post.media, post.text) for post in api.by_bot(CHAT)[2:]] == [(NOTE.data, ""), (b"", "Short.")]


async def test_the_parts_of_a_message_look_like_what_they_are(api: BotApi, platform: TelegramPlatform) -> None:
    await platform.send_text(to(1), MessageText("It is **nine**.", transcript="What *time* is it?", notice="So *far*."))
    (post,) = api.by_bot(CHAT)
    assert post.text == "🎤 What *time* is it?\n\nIt is nine.\n\nSo *far*."
    assert post.marked == [("blockquote", "🎤 What *time* is it?"), ("bold", "nine")]


async def test_a_message_is_retracted(api: BotApi, platform: TelegramPlatform) -> None:
    message = await platform.send_notice(to(1), "You are number 2 in line.")
    for _ in range(2):  # what is gone already is no matter
        await platform.retract(to(1), message)
    assert api.by_bot(CHAT) == []


async def test_a_deleted_question_is_answered(api: BotApi, platform: TelegramPlatform) -> None:
    await platform.send_text(to(404), MessageText("Hello."))
    assert [post.text for post in api.by_bot(CHAT)] == ["Hello."]


async def test_a_message_of_its_own_answers_none(api: BotApi, platform: TelegramPlatform) -> None:
    await platform.send_text(to(0), MessageText("Tests failed."))
    (post,) = api.by_bot(CHAT)
    assert (post.text, post.params.get("reply_parameters")) == ("Tests failed.", None)


async def test_a_long_text_is_split(api: BotApi, platform: TelegramPlatform) -> None:
    text = "😀 word " * 1500
    await platform.send_text(to(1), MessageText(text))
    parts = [post.text for post in api.by_bot(CHAT)]
    assert " ".join(parts) == text.strip()
    assert len(parts) == 3
    assert all(units(part) <= 4096 for part in parts)


@pytest.mark.slow
async def test_a_pause_between_parts_is_waited_for(api: BotApi, platform: TelegramPlatform) -> None:
    api.faults["sendMessage"].append(Fault())
    api.fail("sendMessage", 429, "Too Many Requests: retry after 1", retry_after=1)
    await platform.send_text(to(1), MessageText("a" * 5000))
    assert [len(post.text) for post in api.by_bot(CHAT)] == [4096, 904]


async def test_a_server_that_is_away_between_parts_is_waited_for(
    api: BotApi, platform: TelegramPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.platforms.telegram.platform.PART_RETRY_SECONDS", 0.01)
    api.faults["sendMessage"].append(Fault())
    for status, description in ((502, "Bad Gateway"), (500, "Internal Server Error")):
        api.fail("sendMessage", status, description)
    await platform.send_text(to(1), MessageText("a" * 5000))
    assert [len(post.text) for post in api.by_bot(CHAT)] == [4096, 904]


PROGRAM = "\n".join(f"    total += values[{number}]  # the {number}th" for number in range(75))
ANSWER = f"""# What I found

It is **simple**, see [the guide](https://j.example/guide):

{"- a point, with `code` in it and some more words" + chr(10)}{"- **another** one" + chr(10)}
| Size | Price |
|------|------:|
| S | 5 |
| L | 12 |

| City | What you should see there before lunch |
|------|------|
| Rome | The Colosseum, the Forum, and all the cats |

{"Some prose that goes on for a while, as answers do. " * 30}

```python
def sum_up(values):
    total = 0
{PROGRAM}
    return total
```

> And *that* is all.
"""


async def test_a_long_answer_is_readable_and_its_code_whole(api: BotApi, platform: TelegramPlatform) -> None:
    assert units(ANSWER) > 4096
    await platform.send_text(to(1), MessageText(ANSWER))
    posts = api.by_bot(CHAT)
    marks = [mark for post in posts for mark in post.marked]
    code = ANSWER.split("```python\n")[1].split("\n```")[0]
    assert marks == [
        ("bold", "What I found"),
        ("bold", "simple"),
        ("text_link", "the guide"),
        ("code", "code"),
        ("bold", "another"),
        ("pre", "Size | Price\n-----+------\nS    | 5\nL    | 12"),
        ("bold", "City: Rome"),
        ("pre", code),
        ("blockquote", "And that is all."),
        ("italic", "that"),
    ]
    assert len(posts) == 2
    assert all(units(post.text) <= 4096 for post in posts)
    assert not {"*", "#", "`", "["} & set("".join(post.text for post in posts).replace(code, ""))


async def test_a_part_that_is_refused_leaves_the_text_uncertain(api: BotApi, platform: TelegramPlatform) -> None:
    api.faults["sendMessage"].append(Fault())
    api.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    with pytest.raises(SendUncertainError):
        await platform.send_text(to(1), MessageText("a" * 5000))


async def test_telegrams_pause_is_temporals(api: BotApi, platform: TelegramPlatform) -> None:
    api.fail("sendMessage", 429, "Too Many Requests: retry after 17", retry_after=17)
    with pytest.raises(ApplicationError) as failed:
        await platform.send_text(to(1), MessageText("Hello."))
    assert failed.value.next_retry_delay == timedelta(seconds=17)
    assert not failed.value.non_retryable
    assert api.by_bot(CHAT) == []


async def test_a_group_that_moved_is_followed(api: BotApi, platform: TelegramPlatform) -> None:
    api.migrated[GROUP] = -200
    await platform.send_text(to(1, GROUP), MessageText("Hello."))
    await platform.send_voice(to(1, GROUP), NOTE)
    assert [post.chat for post in api.posts.values()] == [-200, -200]
    assert [call.chat for call in api.calls] == [GROUP, -200, -200]


async def test_a_full_chat_waits_without_a_slot(api: BotApi, bot: Bot) -> None:
    platform = TelegramPlatform(bot)
    platform._pacing.hold(CHAT, 60)
    with pytest.raises(ApplicationError) as failed:
        await platform.send_text(to(1), MessageText("Hello."))
    assert failed.value.next_retry_delay is not None
    assert 55 < failed.value.next_retry_delay.total_seconds() <= 60
    assert api.calls == []


# Downloads


async def test_download(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"] = b"sound" * 100_000
    assert await platform.download(AudioSource(locator="f"), 10**6) == api.files["f"]


async def test_no_more_than_the_cap_is_read(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"] = b"sound" * 100_000
    with pytest.raises(BadInputError) as failed:
        await platform.download(AudioSource(locator="f"), 1000)
    assert failed.value.type == "audio-too-large"
    read = await platform._read(await platform._bot.get_file("f"), 1001)
    assert len(read) == 1001


async def test_what_telegram_does_not_hand_over(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"] = bytes((20 << 20) + 1)
    for locator, code in (("f", "audio-too-large"), ("nothing", "audio-missing")):
        with pytest.raises(BadInputError) as failed:
            await platform.download(AudioSource(locator=locator), 30 << 20)
        assert failed.value.type == code


async def test_an_expired_link_is_asked_for_again(api: BotApi, platform: TelegramPlatform) -> None:
    api.files["f"], api.expired = b"sound", 1
    with pytest.raises(ApplicationError) as failed:
        await platform.download(AudioSource(locator="f"), 1000)
    assert not failed.value.non_retryable
    assert TOKEN not in str(failed.value)
    assert await platform.download(AudioSource(locator="f"), 1000) == b"sound"


async def test_a_long_answer_with_everything_is_readable(api: BotApi, platform: TelegramPlatform) -> None:
    await platform.send_text(to(1), MessageText(long_answer.ANSWER, QUESTION))
    posts = api.by_bot(CHAT)
    assert len(posts) == 2
    assert all(units(post.text) <= 4096 for post in posts)
    marked = [mark for post in posts for mark in post.marked]
    assert marked[0] == ("blockquote", f"🎤 {QUESTION}")
    assert {("bold", "time"), ("italic", "a warm corner"), ("strikethrough", "230"), ("pre", CODE)} <= set(marked)
    assert ("text_link", "the baker's page") in marked
    assert ("blockquote", "A wet dough is a kind dough.") in marked
    (table,) = [text for kind, text in marked if kind == "pre" and "Temperature" in text]
    assert len({(line.index("|"), line.rindex("|")) for line in table.splitlines() if "|" in line}) == 1, "in columns"
    shown = words(" ".join(post.text for post in posts))
    assert shown == [*words(QUESTION), *words(READ)]
    assert not any(mark in post.text for post in posts for mark in ("**", "```", "~~", "]("))
