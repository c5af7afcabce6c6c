"""A completion is read from its pieces, however these come, and never beyond its budgets."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.coding.completion import MAX_CALLS, Completion, read_completion, split_thoughts
from activities.language_model import Delta, ModelRequest, ToolCallPiece
from agent.messages import Message, ToolCall

REQUEST = ModelRequest((Message("user", "Mend it."),), None, 0.2, answer_tokens=40, thinking_tokens=20)
ACTION = '{"thought": "", "action": {"tool": "run_tests"}}'
TEXTS = st.text(max_size=8)


class ScriptedModel:
    """Plays an answer a request; remembers what it was asked, and how far it was read."""

    def __init__(self, *answers: list[Delta]) -> None:
        self.requests: list[ModelRequest] = []
        self.read = 0
        self.closed = 0
        self._answers = answers

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        deltas = self._answers[len(self.requests)]
        self.requests.append(request)
        try:
            for delta in deltas:
                self.read += 1
                yield delta
        finally:
            self.closed += 1


def call(index: int = 0, **fields: str) -> Delta:
    return Delta(calls=(ToolCallPiece(index, **fields),))


async def read(*deltas: Delta, max_chars: int = 10_000, request: ModelRequest = REQUEST) -> Completion:
    return await read_completion(ScriptedModel(list(deltas)), request, max_chars=max_chars)


async def test_text_and_figures_are_what_the_server_sent() -> None:
    usage = Delta(model="m", prompt_tokens=7, completion_tokens=9)
    completion = await read(
        Delta(reasoning="Hm."), Delta(ACTION[:9]), Delta(ACTION[9:]), Delta(finish_reason="stop"), usage
    )
    assert (completion.content, completion.calls, completion.finish_reason) == (ACTION, (), "stop")
    assert (completion.thought_chars, completion.model) == (3, "m")
    assert (completion.prompt_tokens, completion.completion_tokens) == (7, 9)
    assert completion.first_token_ms is not None
    assert completion.first_token_ms <= completion.engine_ms


async def test_what_the_server_does_not_count_is_estimated() -> None:
    completion = await read(Delta(reasoning="Hm."), Delta("Well."))
    assert (completion.prompt_tokens, completion.completion_tokens) == (len("Mend it.") // 3, 2)


async def test_calls_are_joined_from_their_pieces() -> None:
    completion = await read(
        call(id="a", name="run"),
        call(arguments='{"comm'),
        call(1, id="b", name="read", arguments='{"path"'),
        call(arguments='and": "ls"}'),
        call(1, arguments=': "x"}'),
        Delta(finish_reason="tool_calls"),
    )
    assert completion.calls == (ToolCall("a", "run", '{"command": "ls"}'), ToolCall("b", "read", '{"path": "x"}'))
    assert not completion.is_empty


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        # Servers that number every call 0, with an id for each.
        ([call(id="a", name="run", arguments="{}"), call(id="b", name="read", arguments="{}")], ["run", "read"]),
        # Servers that send id and name again with each piece.
        ([call(id="a", name="run", arguments="{"), call(id="a", name="run", arguments="}")], ["run"]),
        # Servers that send the name in pieces.
        ([call(id="a", name="run_"), call(name="tests"), call(arguments="{}")], ["run_tests"]),
        # Servers that count from another number.
        ([call(7, id="a", name="run", arguments="{}")], ["run"]),
    ],
)
async def test_servers_number_calls_in_their_own_ways(deltas: list[Delta], calls: list[str]) -> None:
    completion = await read(*deltas)
    assert [call.name for call in completion.calls] == calls
    assert {call.arguments for call in completion.calls} == {"{}"}


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5), st.data())
async def test_however_a_call_is_cut_its_arguments_are_the_same(
    calls: list[tuple[str, str]], data: st.DataObject
) -> None:
    deltas = []
    for index, (name, arguments) in enumerate(calls):
        at = data.draw(st.integers(0, len(arguments)))
        deltas += [
            call(index, id=f"c{index}", name=name, arguments=arguments[:at]),
            call(index, arguments=arguments[at:]),
        ]
    completion = await read(*deltas)
    assert [(call.name, call.arguments) for call in completion.calls] == calls


async def test_nothing_at_all_is_an_empty_completion() -> None:
    for reason in ("stop", "length", "tool_calls"):
        completion = await read(Delta(finish_reason=reason))
        assert completion.is_empty
        assert (completion.finish_reason, completion.thought_chars) == (reason, 0)
    assert (await read()).finish_reason == "stop"


async def test_a_model_that_has_only_thought_is_asked_once_more_with_its_thoughts_closed() -> None:
    thinks = [Delta(reasoning="Hm."), Delta(finish_reason="length", prompt_tokens=5, completion_tokens=3)]
    acts = [Delta(ACTION), Delta(finish_reason="stop", prompt_tokens=8, completion_tokens=4)]
    model = ScriptedModel(thinks, acts)
    completion = await read_completion(model, REQUEST)
    assert model.requests[1] == REQUEST._replace(thoughts="Hm.", thinking_tokens=0)
    assert (completion.content, completion.thought_chars, completion.finish_reason) == (ACTION, 3, "stop")
    assert (completion.prompt_tokens, completion.completion_tokens) == (13, 7)


async def test_a_model_that_only_thinks_leaves_an_empty_completion() -> None:
    model = ScriptedModel(
        [Delta("<think>Hm. <tool_call>"), Delta(finish_reason="length")], [Delta(finish_reason="stop")]
    )
    completion = await read_completion(model, REQUEST)
    assert completion.is_empty
    assert (completion.finish_reason, completion.thought_chars, len(model.requests)) == ("stop", 15, 2)


async def test_an_action_that_a_parser_took_for_thoughts_is_an_action() -> None:
    model = ScriptedModel([Delta(reasoning="Hm.")], [Delta(reasoning=ACTION), Delta(finish_reason="stop")])
    completion = await read_completion(model, REQUEST)
    assert (completion.content, completion.thought_chars) == (ACTION, 3)


@pytest.mark.parametrize("piece", [Delta(reasoning="hm "), Delta("<think>hm ")])
async def test_thoughts_end_at_their_budget(piece: Delta) -> None:
    pieces = [piece, *(piece._replace(content=piece.content.replace("<think>", "")) for _ in range(999))]
    model = ScriptedModel(pieces, [Delta(ACTION)])
    assert (await read_completion(model, REQUEST)).content == ACTION
    assert model.read == 22 + 1 + 1
    assert model.closed == 2


@pytest.mark.parametrize("piece", [Delta("word "), call(arguments="1, ")])
async def test_an_answer_ends_at_its_budget(piece: Delta) -> None:
    numbered = [piece if piece.content else call(arguments=f"{n}, ") for n in range(999)]
    model = ScriptedModel(numbered)
    completion = await read_completion(model, REQUEST._replace(thinking_tokens=0))
    assert (completion.finish_reason, model.read, model.closed) == ("length", 45, 1)
    assert not completion.is_empty


async def test_a_piece_of_any_length_ends_at_the_longest_text() -> None:
    completion = await read(Delta("x" * 90), call(name="write", arguments="y" * 20), Delta("z"), max_chars=100)
    assert completion.finish_reason == "length"
    assert len(completion.content) == 90


async def test_calls_without_end_are_ended() -> None:
    many = Delta(calls=tuple(ToolCallPiece(index, f"c{index}", "run") for index in range(10 * MAX_CALLS)))
    completion = await read(many, many)
    assert len(completion.calls) == MAX_CALLS
    assert completion.finish_reason == "length"


@pytest.mark.parametrize("field", ["content", "reasoning", "calls"])
async def test_a_model_that_writes_the_same_over_and_over_is_stopped(field: str) -> None:
    text = '{"a": 0}, '
    same: Any = (ToolCallPiece(0, "c", "write", text),) if field == "calls" else text
    model = ScriptedModel([Delta(**{field: same})] * 4000, [Delta(finish_reason="stop")])
    completion = await read_completion(model, REQUEST._replace(answer_tokens=5000, thinking_tokens=5000))
    assert completion.finish_reason == ("stop" if field == "reasoning" else "repetition")
    assert model.read <= 102


async def test_progress_is_told_at_each_piece_that_says_something() -> None:
    told: list[int] = []
    model = ScriptedModel([Delta(), Delta(reasoning="Hm."), Delta(), call(name="run"), Delta("x"), Delta(model="m")])
    await read_completion(model, REQUEST, lambda: told.append(model.read))
    assert told == [2, 4, 5]


async def test_halves_of_characters_are_joined_or_replaced() -> None:
    completion = await read(Delta("\ud83d"), Delta("\ude00 \ud83d"), call(name="w", arguments="\ud83d"))
    assert completion.content == "😀 \ufffd"
    assert completion.calls[0].arguments == "\ufffd"


@pytest.mark.parametrize(
    ("text", "thoughts", "rest"),
    [
        (ACTION, "", ACTION),
        (f"<think>Hm.</think>{ACTION}", "Hm.", ACTION),
        (f"\n<think>Hm.</think>\n{ACTION}", "Hm.", f"\n{ACTION}"),
        (f"Hm.</think>{ACTION}", "Hm.", ACTION),
        (f"</think>{ACTION}", "", ACTION),
        ("<think>Hm.", "Hm.", ""),
        ('{"content": "<think>a</think>b"}', "", '{"content": "<think>a</think>b"}'),
        ('```json\n{"content": "a</think>b"}\n```', "", '```json\n{"content": "a</think>b"}\n```'),
        ("I run <think> it.", "", "I run <think> it."),
    ],
)
def test_thoughts_in_tags_are_told_apart(text: str, thoughts: str, rest: str) -> None:
    assert split_thoughts(text) == (thoughts, rest)


@given(st.lists(st.sampled_from(["<think>", "</think>", "{", "x", " "]), max_size=6).map("".join))
def test_of_any_text_the_beginning_is_thoughts_and_the_end_is_not(text: str) -> None:
    thoughts, rest = split_thoughts(text)
    assert text.endswith(rest)
    assert text.removesuffix(rest).strip().removeprefix("<think>").removesuffix("</think>").strip() == thoughts.strip()
