"""What the conversation is signalled of a message, and the wait for the end of its turn."""

from hypothesis import given
from hypothesis import strategies as st

from activities.values import AudioSource
from bots.intake import ATTACHMENTS, MAX_TEXT_CHARS, InboundMessage, accept, request_of, result_of
from tests.bots.conftest import Platform
from tests.support.world import World
from workflows.names import conversation_id
from workflows.voice.contracts import MAX_QUOTED_CHARS, Limits, Stop

LONG = st.none() | st.text(max_size=20) | st.integers(1, 9000).map("x".__mul__)


@given(LONG, LONG, st.booleans(), st.sampled_from([None, "", "de", "de-AT", "PT-br"]))
def test_any_message_is_cut_to_size(text: str | None, quoted: str | None, spoken: bool, language: str | None) -> None:
    audio = AudioSource(locator="f1") if spoken else None
    inbound = InboundMessage(
        "test", "1", "2", "3", sender="s" * 500, language=language, text=text, quoted=quoted, audio=audio
    )
    request = request_of(inbound, Limits(), accompanied=True, signal_sentences=False)
    assert (len(request.sender), len(request.quoted or "") <= MAX_QUOTED_CHARS) == (120, True)
    assert request.language in {None, "de", "pt"}
    assert request.text == (None if spoken else (text or "")[:MAX_TEXT_CHARS])
    assert request.remark == ((text or "")[:MAX_QUOTED_CHARS] or None if spoken else None)


@given(LONG, st.booleans(), st.sampled_from([*ATTACHMENTS, "story"]))
def test_the_model_is_told_what_it_cannot_see(text: str | None, spoken: bool, kind: str) -> None:
    audio = AudioSource(locator="f1") if spoken else None
    inbound = InboundMessage("test", "1", "2", "3", text=text, attachment=kind, audio=audio)
    request = request_of(inbound, Limits(), accompanied=True, signal_sentences=False)
    said = (request.remark if spoken else request.text) or ""
    assert said.endswith(f"({ATTACHMENTS.get(kind, 'A file')} was attached, which you cannot see.)")
    assert said.startswith((text or "").lstrip()[:1000])
    assert len(said) <= (MAX_QUOTED_CHARS if spoken else MAX_TEXT_CHARS)


def test_a_picture_is_named_to_the_model() -> None:
    inbound = InboundMessage("test", "1", "2", "3", text="What is this?", attachment="photo")
    request = request_of(inbound, Limits(), accompanied=True, signal_sentences=False)
    assert request.text == "What is this?\n(A photo was attached, which you cannot see.)"


def test_what_a_message_interrupts_is_told() -> None:
    inbound = InboundMessage("test", "1", "2", "3", text="No!", interrupts=Stop(heard=2))
    request = request_of(inbound, Limits(), accompanied=True, signal_sentences=False)
    assert request.interrupts == Stop(heard=2)


async def test_the_end_of_a_turn_is_waited_for_from_before_it_begins(platform: Platform, world: World) -> None:
    inbound = platform.inbound()
    request = request_of(inbound, Limits(), accompanied=False, signal_sentences=False)
    assert await accept(platform.client, request) == conversation_id(platform.name, "ada")
    result = await result_of(platform.client, platform.name, "ada", inbound.message)
    assert (result.status, result.transcript) == ("answered", "hello")
