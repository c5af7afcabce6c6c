"""Names that histories and other people's queries hold are what they were in 0.1.0."""

from workflows import names


def test_names_of_010_stay() -> None:
    assert [names.WORKFLOW_QUEUE, names.GPU_QUEUE, names.CPU_QUEUE, names.TESTS_QUEUE] == [
        "june",
        "june-gpu",
        "june-cpu",
        "june-tests",
    ]
    assert names.platform_queue("telegram") == "june-telegram"
    assert [names.CONVERSATION, names.VOICE_MESSAGE, names.ACCESS, names.TEST_RUN] == [
        "Conversation",
        "VoiceMessage",
        "Access",
        "TestRun",
    ]
    assert [key.name for key in names.SEARCH_ATTRIBUTES] == [
        "Platform",
        "Chat",
        "Stage",
        "Language",
        "ErrorCode",
        "Outcome",
        "Model",
        "DataSet",
    ]
    assert (names.ACCESS_MEMO, names.TEST_RUN_MEMO, names.TEST_RUN_ID_PREFIX) == ("access", "tests", "tests/")


def test_ids_of_010_stay() -> None:
    assert names.conversation_id("discord", "7") == "chat/discord/7"
    assert names.conversation_id("telegram", "-100", "4") == "chat/telegram/-100/4"
    assert names.voice_message_id("web", "7", "8") == "voice/web/7/8"
    assert names.access_id("telegram") == "access/telegram"
    assert names.chat_key("file", "ada") == "file/ada"
