"""A turn by june's own inbox (platform ``file``): the shipped question in, a spoken answer out; a typed one."""

import io

import av
import pytest

from activities.audio.codec import decode, seconds_of
from activities.text.sentences import split
from activities.text.speakable import speakable
from tests.integration.chat import OwnChat
from tests.integration.june import June
from tests.support.word_errors import wer
from workers.local.session import QUESTION
from workflows.names import Stage
from workflows.voice.contracts import ChatSettings

QUESTION_SAID = "What is the capital of France, and what is it famous for?"
MOST_SECONDS = 600
POLITE = ChatSettings(system_prompt="You are a polite assistant. Answer in one short sentence.", temperature=0)
"""Has answers of more words than a few, of which one may be misheard."""
MISHEARD_WORDS = 2
"""Of a short answer: a name and the word beside it, say."""
STAGES = {Stage.FETCH, Stage.TRANSCRIBE, Stage.INFER, Stage.SYNTHESIZE, Stage.REPLY}


async def test_a_question_is_heard_and_answered_aloud(june: June, new_chat: OwnChat) -> None:
    chat = new_chat
    await chat.open(POLITE)
    result = await chat.answer(await chat.send(QUESTION.read_bytes()))
    assert wer(QUESTION_SAID, result.transcript) <= june.settings.wer_limit
    assert result.language == "en"
    assert result.stage_ms.keys() == STAGES
    reply = await chat.spoken(result)
    with av.open(io.BytesIO(reply)) as sound:
        (stream,) = sound.streams
        assert (sound.format.name, stream.codec_context.name) == ("ogg", "opus")
    assert result.reply
    assert seconds_of(decode(reply, MOST_SECONDS)) == pytest.approx(result.reply.seconds, abs=0.1)
    # june itself is asked what it has said.
    heard = await chat.answer(await chat.send(reply))
    answer = " ".join(split(speakable(result.answer)))
    assert wer(answer, heard.transcript) <= max(june.settings.wer_limit, MISHEARD_WORDS / len(answer.split()))


async def test_a_typed_question_is_answered_in_text(chat: OwnChat) -> None:
    message = await chat.say("What is the capital of France?")
    result = await chat.answer(message)
    assert result.reply is None
    assert [ran.name for ran in await chat.ran(message)] == ["infer", "reply"]
