"""What is asked of a turn and of a chat: what makes sense, what stays as it is, what goes back to the default."""

import pytest
from pydantic import ValidationError

from activities.values import AudioSource
from workflows.names import CHAT, PLATFORM, STAGE
from workflows.voice.contracts import (
    ChatSettings,
    ConversationState,
    Layout,
    ReplyMode,
    SettingsChange,
    VoiceMessageRequest,
    findable,
)

AUDIO = AudioSource(locator="x")


def test_a_message_is_either_sound_or_text() -> None:
    assert VoiceMessageRequest(audio=AUDIO).text is None
    assert VoiceMessageRequest(text="Hello?").audio is None
    for neither_or_both in ({}, {"audio": AUDIO, "text": "Hello?"}):
        with pytest.raises(ValidationError, match="either audio or text"):
            VoiceMessageRequest.model_validate(neither_or_both)


@pytest.mark.parametrize("chat", ["a b", "a/b", "'", "", "x" * 121])
def test_ids_cannot_become_other_queries_or_paths(chat: str) -> None:
    with pytest.raises(ValidationError):
        VoiceMessageRequest(chat=chat, text="Hello?")


def test_a_reply_goes_to_where_the_message_was_said() -> None:
    asked = VoiceMessageRequest(platform="telegram", chat="1", thread="2", message="3", language="de", text="Hallo?")
    to = asked.address
    assert (to.platform, to.chat, to.thread, to.message, to.language) == ("telegram", "1", "2", "3", "de")
    found = {pair.key.name: pair.value for pair in findable(asked)}
    assert found == {PLATFORM.name: "telegram", CHAT.name: "telegram/1", STAGE.name: "fetch"}


def test_a_change_of_settings_leaves_the_rest() -> None:
    chosen = ChatSettings(voice="en_US-joe-medium", language="de")
    assert SettingsChange(language="").applied_to(chosen) == ChatSettings(voice="en_US-joe-medium")
    assert SettingsChange(reply_mode=ReplyMode.OFF).applied_to(chosen).language == "de"
    assert VoiceMessageRequest(text="x", settings=ChatSettings(layout=Layout.CAPTION)).captioned


def test_fields_of_other_releases_are_passed_over_or_have_defaults() -> None:
    state = ConversationState.model_validate({"platform": "web", "chat": "1", "from": "the future"})
    assert state.turns == 0
