"""From Telegram's update to june's message: what is heard, who is meant, and what is not listened to."""

from typing import Any

import pytest
from telegram import Update, User

from bots.intake import InboundMessage
from bots.telegram.messages import convert, moves

ME = User(123456, "June", is_bot=True, username="june_test_bot")
JUNE = {"id": 123456, "is_bot": True, "first_name": "June", "username": "june_test_bot"}
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "last_name": "Lee", "language_code": "de-AT"}
BOB = {"id": 8, "is_bot": False, "first_name": "Bob"}
PRIVATE = {"id": 7, "type": "private"}
GROUP = {"id": -100, "type": "supergroup", "title": "Friends"}
FILE = {"file_id": "f1", "file_unique_id": "u1", "file_size": 1234}
VOICE = {"voice": FILE | {"duration": 3, "mime_type": "audio/ogg"}}


def message(chat: dict[str, Any] = PRIVATE, number: int = 55, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - as Telegram has it
    return {"message_id": number, "date": 1, "chat": chat, "from": ANN} | fields


def read(kind: str = "message", chat: dict[str, Any] = PRIVATE, **fields: Any) -> InboundMessage | None:  # noqa: ANN401 - as Telegram has it
    return convert(Update.de_json({"update_id": 1, kind: message(chat, **fields)}, None), ME)


def heard(chat: dict[str, Any] = PRIVATE, **fields: Any) -> InboundMessage:  # noqa: ANN401 - as Telegram has it
    inbound = read(chat=chat, **fields)
    assert inbound is not None
    return inbound


def command(text: str) -> dict[str, Any]:
    return {"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]}


def mention(text: str, name: str = "@june_test_bot") -> dict[str, Any]:
    return {"text": text, "entities": [{"type": "mention", "offset": text.index(name), "length": len(name)}]}


def test_text() -> None:
    assert heard(text=" Hello? ") == InboundMessage(
        platform="telegram",
        chat="7",
        message="55",
        user="7",
        sender="Ann Lee",
        language="de-AT",
        text="Hello?",
    )


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        (VOICE, 3),
        ({"audio": FILE | {"duration": 4}}, 4),
        ({"video_note": FILE | {"duration": 5, "length": 240}}, 5),
        ({"document": FILE | {"mime_type": "audio/mpeg"}}, None),
        ({"document": FILE | {"file_name": "WhatsApp.OPUS"}}, None),
        ({"video": FILE | {"duration": 6, "width": 9, "height": 16, "mime_type": "video/mp4"}}, 6),
        ({"document": FILE | {"mime_type": "video/webm", "file_name": "screen.webm"}}, None),
        ({"document": FILE | {"mime_type": "application/octet-stream", "file_name": "REC_0001.amr"}}, None),
        ({"document": FILE | {"mime_type": "application/octet-stream"}}, None),
    ],
)
def test_what_sounds(fields: dict[str, Any], seconds: float | None) -> None:
    inbound = heard(**fields, caption="Listen!")
    assert inbound.audio is not None
    assert (inbound.audio.locator, inbound.audio.claimed_bytes) == ("f1", 1234)
    assert (inbound.audio_seconds, inbound.text, inbound.addressed) == (seconds, "Listen!", True)


PHOTO = {"photo": [FILE | {"width": 1, "height": 1}]}
PLACE = {"longitude": 1.0, "latitude": 2.0}


@pytest.mark.parametrize(
    ("fields", "attachment"),
    [
        ({"document": FILE | {"file_name": "a.pdf"}}, "file"),
        ({"document": FILE | {"file_name": "a.docx", "mime_type": "application/octet-stream"}}, "file"),
        (PHOTO, "photo"),
        (
            {"sticker": FILE | {"width": 1, "height": 1, "is_animated": False, "is_video": True, "type": "regular"}},
            "sticker",
        ),
        (
            {
                "animation": FILE | {"width": 1, "height": 1, "duration": 2, "mime_type": "video/mp4"},
                "document": FILE | {"mime_type": "video/mp4"},
            },
            "animation",
        ),
        ({"location": PLACE}, "location"),
        ({"location": PLACE, "venue": {"location": PLACE, "title": "Zoo", "address": "1"}}, "location"),
        ({"contact": {"phone_number": "1", "first_name": "Bo"}}, "contact"),
        ({"game": {"title": "Chess", "description": "A game", "photo": PHOTO["photo"]}}, "other"),
    ],
)
def test_what_june_cannot_take_is_named_and_its_caption_is_text(fields: dict[str, Any], attachment: str) -> None:
    for caption, text in ((None, ""), ("Look!", "Look!")):
        inbound = heard(**fields, caption=caption)
        assert (inbound.audio, inbound.text, inbound.attachment) == (None, text, attachment)


def test_a_caption_names_june_and_has_commands_as_a_text_does() -> None:
    marked = [{"type": "mention", "offset": 0, "length": 14}]
    inbound = heard(GROUP, **PHOTO, caption="@june_test_bot what is it?", caption_entities=marked)
    assert (inbound.text, inbound.addressed, inbound.attachment) == ("what is it?", True, "photo")
    marked = [{"type": "bot_command", "offset": 0, "length": 4}]
    inbound = heard(GROUP, **PHOTO, caption="/ask what is it?", caption_entities=marked)
    assert (inbound.text, inbound.addressed) == ("what is it?", True)


def test_a_mention_alone_is_a_message() -> None:
    inbound = heard(GROUP, **mention("@june_test_bot"))
    assert (inbound.text, inbound.addressed, inbound.attachment) == ("", True, None)


def test_asking_about_somebodys_picture() -> None:
    replied = message(GROUP, 50, **PHOTO, caption="My cat.") | {"from": BOB}
    inbound = heard(GROUP, **command("/ask"), reply_to_message=replied)
    assert (inbound.text, inbound.attachment) == ("My cat.", "photo")


@pytest.mark.parametrize(
    ("chat", "fields", "move"),
    [
        (-5, {"migrate_to_chat_id": -1005}, ("-5", "-1005")),
        (-1005, {"migrate_from_chat_id": -5}, ("-5", "-1005")),
        (-5, {"text": "Hi."}, None),
    ],
)
def test_a_group_that_becomes_a_supergroup(chat: int, fields: dict[str, Any], move: tuple[str, str] | None) -> None:
    update = Update.de_json({"update_id": 1, "message": message({"id": chat, "type": "group"}, **fields)}, None)
    assert moves(update) == move
    assert move is None or convert(update, ME) is None
    assert moves(Update(1)) is None


@pytest.mark.parametrize(
    ("kind", "chat", "fields"),
    [
        ("edited_message", PRIVATE, {"text": "Hello!"}),
        ("channel_post", {"id": -5, "type": "channel"}, {"text": "News."}),
        ("message", GROUP, {"text": "Beep.", "from": BOB | {"is_bot": True}}),
        ("message", GROUP, {"new_chat_title": "Foes"}),
        ("message", GROUP, {"text": "News.", "is_automatic_forward": True}),
        ("message", GROUP, command("/start@another_bot")),
        ("message", GROUP, command("/roll 6")),
    ],
)
def test_what_is_not_listened_to(kind: str, chat: dict[str, Any], fields: dict[str, Any]) -> None:
    assert read(kind, chat, **fields) is None


# Commands


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("/start", "/start"),
        ("/Voice@June_Test_Bot  always ", "/voice always"),
        ("/roll 6", "/roll 6"),
        ("/ask How are you?", "How are you?"),
        ("/ask", "/help"),
    ],
)
def test_commands(given: str, text: str) -> None:
    assert heard(**command(given)).text == text


def test_an_owners_command_is_about_the_sender_of_what_it_replies_to() -> None:
    replied = message(GROUP, 50, text="Spam!") | {"from": BOB}
    assert heard(GROUP, **command("/block"), reply_to_message=replied).about == "8"
    assert heard(GROUP, **command("/block"), reply_to_message=replied | {"from": JUNE}).about is None
    named = heard(GROUP, **command("/block"), reply_to_message=replied)
    assert (named.about_name, named.group_name, heard(text="Hello?").group_name) == ("Bob", "Friends", None)


# Groups


def test_in_a_group_june_is_not_always_meant() -> None:
    inbound = heard(GROUP, text="Hello, Bob.")
    assert (inbound.chat, inbound.group, inbound.addressed) == ("-100", "-100", False)
    assert not heard(GROUP, **VOICE).addressed


def test_a_mention_means_june() -> None:
    inbound = heard(GROUP, **mention("Hey @june_test_bot, what time is it?"))
    assert (inbound.text, inbound.addressed) == ("Hey , what time is it?", True)
    assert not heard(GROUP, **mention("Hey @another_bot", "@another_bot")).addressed
    entity = {"type": "text_mention", "offset": 0, "length": 4, "user": JUNE}
    assert heard(GROUP, text="June how are you?", entities=[entity]).text == "how are you?"


def test_a_reply_means_june() -> None:
    replied = message(GROUP, 50, text="The answer.") | {"from": JUNE}
    inbound = heard(GROUP, **VOICE, reply_to_message=replied)
    assert (inbound.addressed, inbound.quoted, inbound.message) == (True, "The answer.", "55")
    assert not heard(GROUP, **VOICE, reply_to_message=replied | {"from": BOB}).addressed
    beside = heard(GROUP, **VOICE, caption="Why?", reply_to_message=replied)
    assert (beside.quoted, beside.text) == ("The answer.", "Why?")


def test_a_quote_is_closer_than_the_whole() -> None:
    replied = message(GROUP, 50, text="The whole answer.") | {"from": JUNE}
    quote = {"text": "whole", "position": 4}
    assert heard(GROUP, text="Why?", reply_to_message=replied, quote=quote).quoted == "whole"


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        (command("/ask"), ""),
        (command("/ask@june_test_bot what does he say?"), "what does he say?"),
        (mention("@june_test_bot"), ""),
        (mention("And @june_test_bot, is that so?"), "And , is that so?"),
    ],
)
def test_asking_for_an_answer_to_somebodys_voice(asks: dict[str, Any], words: str) -> None:
    replied = message(GROUP, 50, **VOICE) | {"from": BOB}
    inbound = heard(GROUP, **asks, reply_to_message=replied)
    assert inbound.audio is not None
    assert (inbound.audio.locator, inbound.audio_seconds, inbound.text) == ("f1", 3, words)
    assert (inbound.message, inbound.user, inbound.addressed) == ("55", "7", True)


@pytest.mark.parametrize("asks", [command("/ask"), mention("@june_test_bot")])
def test_asking_for_an_answer_to_somebodys_text(asks: dict[str, Any]) -> None:
    replied = message(GROUP, 50, text="What time is it?") | {"from": BOB}
    inbound = heard(GROUP, **asks, reply_to_message=replied)
    assert (inbound.text, inbound.quoted, inbound.addressed) == ("What time is it?", None, True)


def test_junes_own_voice_is_no_question() -> None:
    replied = message(GROUP, 50, **VOICE) | {"from": JUNE}
    inbound = heard(GROUP, **mention("@june_test_bot why?"), reply_to_message=replied)
    assert (inbound.audio, inbound.text) == (None, "why?")


def test_a_topic_is_a_thread() -> None:
    opened = message(GROUP, 9, forum_topic_created={"name": "Tea", "icon_color": 1}) | {"from": JUNE}
    inbound = heard(GROUP, text="Hi.", message_thread_id=9, is_topic_message=True, reply_to_message=opened)
    assert (inbound.thread, inbound.addressed, inbound.quoted) == ("9", False, None)
    assert heard(GROUP, text="Hi.", message_thread_id=9).thread is None, "a thread of replies is no topic"


def test_who_speaks_as_the_group() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    inbound = heard(GROUP, **{"text": "Hi.", "from": anonymous, "sender_chat": GROUP})
    assert (inbound.user, inbound.sender, inbound.language) == ("-100", "Friends", None)
