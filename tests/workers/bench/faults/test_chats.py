"""People who talk in a campaign, and what they find in their chats."""

from workers.bench.faults.bot_api import BotApi, Sent
from workers.bench.faults.chats import Delivered, TelegramChat
from workers.local.session import QUESTION

ANSWER = "Chat a1 is answered number 1. Before it came nothing."


async def test_the_place_is_that_of_the_answer_and_not_of_a_word_before_it() -> None:
    api = BotApi(QUESTION.read_bytes())
    chat = TelegramChat(api, 1001, "a1")
    await chat.say()
    message = int(chat.messages[0])
    assert chat.delivered(chat.messages[0]) == Delivered()
    others = [Sent(1002, 8, message, ANSWER, voice=False), Sent(1001, 9, message + 1, ANSWER, voice=False)]
    mine = [Sent(1001, 5, message, "1 message comes before yours.", voice=False)]
    mine += [Sent(1001, 7, message, ANSWER, voice=False), Sent(1001, 8, message, "", voice=True)]
    api.sent += [*others, *mine]
    assert chat.delivered(chat.messages[0]) == Delivered(("1 message comes before yours.", ANSWER), 1, 7)
