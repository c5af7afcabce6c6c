"""A stream of bytes becomes events, however it is cut and whatever is in it."""

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.language_model import Delta, ToolCallPiece
from workers.engines.completion_stream import MAX_EVENT_BYTES, Event, StreamError, read_completion, read_events

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "usage", "text", "reasoning"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


async def events(*blocks: bytes) -> list[Event]:
    async def arriving() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    return [event async for event in read_events(arriving())]


def content(text: str) -> Event:
    return Event(Delta(content=text))


def chunk(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()


@given(
    st.lists(st.text(max_size=5), max_size=4),
    st.lists(st.integers(0, 300), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
)
async def test_chunking_changes_nothing(texts: list[str], places: list[int], ending: str) -> None:
    stream = b"".join(chunk(text) + 2 * ending.encode() for text in texts) + b"data: [DONE]"
    cuts = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(cuts)]
    assert await events(*pieces) == [*map(content, texts), Event(done=True)]


async def test_what_is_no_data_is_passed_over() -> None:
    stream = (
        b": keep-alive\n\nevent: ping\ndata:\n\nid: 1\nretry: 5\ndata:"
        + chunk("a\u2028b").removeprefix(b"data:")
        + b"\n\n"
    )
    assert await events(stream) == [content("a\u2028b")]


@pytest.mark.parametrize(
    "stream",
    [
        b"id: 7\ndata: {one}\n\n: ping\n\ndata: [DONE]\n\n",
        b"retry: 3000\n\ndata: {one}\n\ndata: [DONE]\n\n",
        b"data: : OPENROUTER PROCESSING\n\ndata: {one}\n\ndata: [DONE]\n\n",
        b"data:{one}\r\n\r\ndata:[DONE]\r\n\r\n",
        b"{one}\ndata: [DONE]",
    ],
)
async def test_framing_of_all_kinds(stream: bytes) -> None:
    said = chunk("Hello.").removeprefix(b"data: ")
    assert await events(stream.replace(b"{one}", said)) == [content("Hello."), Event(done=True)]


async def test_the_whole_answer_again_at_the_end_is_said_once() -> None:
    words = "Good morning, the kettle is on."
    last = json.dumps({"choices": [{"delta": {"content": words}, "finish_reason": "stop"}]}).encode()
    assert await events(chunk(words[:9]) + b"\n" + chunk(words[9:]) + b"\ndata: " + last) == [
        content(words[:9]),
        content(words[9:]),
        Event(Delta(finish_reason="stop")),
    ]
    beside = json.dumps({"choices": [{"delta": {}, "message": {"content": words}, "finish_reason": "stop"}]}).encode()
    assert (await events(chunk(words) + b"\ndata: " + beside))[-1] == Event(Delta(finish_reason="stop"))


async def test_only_the_first_choice_is_read() -> None:
    two = json.dumps({"choices": [{"index": 1, "delta": {"content": "No"}}, {"index": 0, "delta": {"content": "Yes"}}]})
    other = json.dumps({"choices": [{"index": 1, "delta": {"content": "No"}}]})
    assert await events(f"data: {two}\ndata: {other}\n".encode()) == [content("Yes"), content("")]


@pytest.mark.parametrize(
    "stream",
    [
        b'data: {"error": "quota exceeded"}\n',
        b'event: error\ndata: {"message": "no", "code": 500}\n',
        b'data: {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502}}]}\n',
        b'data: {"choices": [{"delta": {}, "finish_reason": "abort"}]}\n',
    ],
)
async def test_errors_of_all_kinds_are_raised(stream: bytes) -> None:
    with pytest.raises(StreamError):
        await events(stream)


async def test_an_event_without_end_is_given_up() -> None:
    with pytest.raises(ValueError, match="without end"):
        await events(b"data: ", *[b"x" * 1_000_000] * (MAX_EVENT_BYTES // 1_000_000 + 1))


@given(JSON)
def test_any_json_is_read(value: Any) -> None:  # noqa: ANN401
    delta = read_completion(value)
    assert isinstance(delta.content, str)
    assert isinstance(delta.reasoning, str)


@pytest.mark.parametrize(
    ("delta", "text", "thoughts"),
    [
        ({"content": "Hi"}, "Hi", ""),
        ({"content": None, "reasoning": "Hm"}, "", "Hm"),
        ({"content": None, "refusal": "I will not."}, "I will not.", ""),
        ({"reasoning_content": "Hm"}, "", "Hm"),
        ({"thinking": "Hm"}, "", "Hm"),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}, "", "Hm"),
        ({"reasoning": "Hm", "reasoning_details": [{"text": "Hm"}]}, "", "Hm"),
        ({"content": [{"type": "text", "text": "Hi"}]}, "Hi", ""),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}, "", "Hm"),
    ],
)
def test_where_servers_put_text_and_thoughts(delta: dict[str, object], text: str, thoughts: str) -> None:
    for key in ("delta", "message"):
        read = read_completion({"choices": [{key: delta, "finish_reason": None}]})
        assert (read.content, read.reasoning) == (text, thoughts)


def test_a_completion_of_text_alone_is_read() -> None:
    assert read_completion({"choices": [{"text": "Hi", "finish_reason": "stop"}]}) == Delta("Hi", finish_reason="stop")


def test_reasons_and_figures_of_all_kinds() -> None:
    read = read_completion({"choices": [{"finish_reason": "MAX_TOKENS"}], "x_groq": {"usage": {"prompt_tokens": 7}}})
    assert (read.finish_reason, read.prompt_tokens) == ("max_tokens", 7)
    assert read_completion({"choices": [{"finish_reason": 1}], "usage": None}) == Delta()


def test_an_error_is_raised() -> None:
    with pytest.raises(StreamError) as raised:
        read_completion({"error": {"message": "out of memory", "code": 500}})
    assert raised.value.body == {"message": "out of memory", "code": 500}


def called(**function: object) -> dict[str, object]:
    return {"index": 0, "id": "a", "type": "function", "function": function}


@pytest.mark.parametrize(
    ("delta", "pieces"),
    [
        ({"tool_calls": [called(name="run", arguments="{}")]}, (ToolCallPiece(0, "a", "run", "{}"),)),
        ({"tool_calls": [{"index": 1, "function": {"arguments": '{"a'}}]}, (ToolCallPiece(1, arguments='{"a'),)),
        (
            {"content": None, "tool_calls": [{"id": "a", "function": {"name": "x"}}, {"id": "b", "function": None}]},
            (ToolCallPiece(0, "a", "x"), ToolCallPiece(1, "b")),
        ),
        (
            {"tool_calls": [called(name="run", arguments={"command": "é"})]},
            (ToolCallPiece(0, "a", "run", '{"command": "é"}'),),
        ),
        ({"function_call": {"name": "run", "arguments": "{}"}}, (ToolCallPiece(0, "", "run", "{}"),)),
        ({"content": "Hi", "tool_calls": None}, ()),
        ({"content": "Hi", "tool_calls": []}, ()),
        ({"tool_calls": [None, 3, {"index": 0}, {"index": True, "function": {"name": 3}}]}, ()),
        ({"tool_calls": {"index": 0}}, ()),
    ],
)
def test_where_servers_put_calls(delta: dict[str, object], pieces: tuple[ToolCallPiece, ...]) -> None:
    for key in ("delta", "message"):
        assert read_completion({"choices": [{key: delta, "finish_reason": None}]}).calls == pieces


@given(JSON)
def test_calls_of_any_shape_are_read(value: Any) -> None:  # noqa: ANN401
    for field in ("tool_calls", "function_call"):
        for piece in read_completion({"choices": [{"delta": {field: value}}]}).calls:
            assert isinstance(piece.number, int)
            assert all(isinstance(text, str) for text in piece[1:])
