"""Messages are what the model's server takes; these check the defaults that the rest relies on."""

from agent.messages import Message, ToolCall


def test_a_plain_message_calls_nothing() -> None:
    message = Message("user", "hello")
    assert (message.calls, message.call_id) == ((), "")


def test_a_call_keeps_its_arguments_as_they_were_written() -> None:
    call = ToolCall("1", "read", '{"path": ')
    assert Message("assistant", "", (call,)).calls[0].arguments == '{"path": '
