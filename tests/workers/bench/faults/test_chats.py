"""People who talk in a campaign, and what they find in their chats."""

from workers.bench.faults.bot_api import BotApi, Sent
from workers.bench.faults.chats import DOUBTS, Delivered, TelegramChat
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


async def test_a_sentence_tells_of_the_last_answers_up_to_its_own() -> None:
    api = BotApi(QUESTION.read_bytes())
    chat = TelegramChat(api, 1001, "a1")
    for _ in range(5):
        await chat.say()
    sentences = {answers: text for text, answers in DOUBTS.items()}
    assert chat.told_of([2, 3, 5]) == set()
    api.sent.append(Sent(1002, 9, int(chat.messages[4]), sentences[3], voice=False))
    assert chat.told_of([2, 3, 5]) == set(), "in another chat"
    api.sent.append(Sent(1001, 10, int(chat.messages[1]), sentences[1], voice=False))
    assert chat.told_of([2, 3, 5]) == {2}
    api.sent.append(Sent(1001, 11, int(chat.messages[2]), sentences[2], voice=False))
    assert chat.told_of([2, 3, 5]) == {2, 3}, "of both once, however often they are told of"
