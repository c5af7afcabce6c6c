"""What the Web UI shows stays within the server's limits, whatever was said."""

from hypothesis import given
from hypothesis import strategies as st

from activities.error_codes import ErrorCode
from activities.values import AudioSource
from workflows.names import Stage
from workflows.one_line import shortened
from workflows.voice import web_ui
from workflows.voice.contracts import (
    ChatSettings,
    ConversationState,
    Exchange,
    Memory,
    QueuedMessage,
    VoiceMessageRequest,
    VoiceMessageResult,
)

REQUEST = VoiceMessageRequest(platform="test", chat="1", message="7", audio=AudioSource(locator="x"))
SUMMARY_BYTES, DETAILS_BYTES = 400, 20_000


@given(st.text(max_size=30_000))
def test_details_and_summaries_fit(text: str) -> None:
    result = VoiceMessageResult(status="answered", transcript=text, answer=text, language="en")
    assert len(web_ui.of_turn(REQUEST, result, Stage.DONE, {Stage.FETCH: 12}).encode()) < DETAILS_BYTES
    assert len(shortened(text).encode()) <= SUMMARY_BYTES
    assert "\n" not in shortened(text)


def test_a_turn_reads_like_a_report() -> None:
    result = VoiceMessageResult(
        status="failed", transcript="hello", error=ErrorCode.MODEL_UNAVAILABLE, error_stage=Stage.INFER
    )
    text = web_ui.of_turn(REQUEST, result, Stage.DONE, {Stage.FETCH: 12, Stage.INFER: 40})
    assert "**Heard**: hello" in text
    assert "`model-unavailable` in infer" in text
    assert "fetch 12 ms · infer 40 ms" in text


def test_a_stopped_turn_says_so() -> None:
    result = VoiceMessageResult(status="stopped", transcript="hello", answer="One. …", cut=True)
    text = web_ui.of_turn(REQUEST, result, Stage.DONE, {})
    assert text.startswith("**done**, stopped — test")
    assert "**Answer**, cut: One. …" in text


def test_a_conversation_shows_its_queue_and_its_last_turns() -> None:
    window = tuple(Exchange(user=f"question {n}", assistant=f"answer {n}") for n in range(9))
    state = ConversationState(
        platform="test", chat="1", memory=Memory(summary="They met.", window=window), settings=ChatSettings(), turns=9
    )
    text = web_ui.of_conversation(state, [QueuedMessage(message="8", sender="Ada", started=True)])
    assert "**9 turns**, 1 in the queue" in text
    assert "They met." in text
    assert "question 8" in text
    assert "question 3" not in text
