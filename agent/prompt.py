"""What the model is asked: the transcript as messages that fit its context window."""

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import zip_longest
from typing import Any, NamedTuple

from agent.actions import as_json, in_a_line, schema, tools
from agent.commands import is_test
from agent.files import UNCHANGED, listing
from agent.messages import Message, ToolCall
from agent.observations import NOT_DONE, TESTS_FAIL, TESTS_PASS, failed_at
from agent.step import CUT
from agent.transcript import Entry, Observation, Remark, Task, Turn, cut, has_acted

BYTES_PER_TOKEN = 3
"""Of UTF-8; less than most tokens have, as what does not fit is refused."""
MESSAGE_TOKENS = 8
"""Of a message's frame."""
KEPT_STEPS = 3
"""Newest steps, whose outputs are the last to be left out."""
BLOCK = 4
"""Older steps are shortened so many at once: a server that caches prompts then reads the same beginning again."""
MAX_LINES = 40
"""Steps of which a line is left; of those before them nothing is."""
PROBLEM_CHARS = 600
"""Of an answer that was no action."""
NOT_YET = "Write the files now: for each its path, and then all of it in a code block."
BY_NOW = (
    "If nothing of the task is missing and the tests pass, answer with the word DONE and a sentence on what you did."
)
"""To a model that answers by text: a small one that is told of DONE before it has done anything says it at once, and
while the tests fail as well."""
MEND = (
    "Say in a sentence which function is wrong, in the code or in a test of your own, and what it has to do instead. "
    "Then write the file in which it is once more: its path, and then all of it in a code block, with other lines in "
    "place of the wrong ones."
)
OWN_TESTS = (
    "The values that these tests expect are your own, and some are wrong: the code gives what stands on the left. "
    "Write {paths} once more, with few tests: only values that the task gives, one letter or number, and there and "
    "back."
)
"""Where all that fails is what the agent itself expects, in tests that it has written."""
LEAST_CHARS = 200
"""To which outputs are cut where nothing else fits."""


class Driver(StrEnum):
    """How the model is made to act."""

    TOOLS = "tools"
    """By native tool calls."""
    SCHEMA = "schema"
    """By a JSON schema that the server enforces."""
    TEXT = "text"
    """By code blocks, as models of code write them by themselves."""


class Window(NamedTuple):
    """Sizes in tokens."""

    context_tokens: int
    answer_tokens: int
    thinking_tokens: int = 0


class Prompt(NamedTuple):
    """What to ask the model."""

    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    schema: dict[str, Any] | None = None


class _Shortening(NamedTuple):
    """How much is left out."""

    outputs: int = 0
    """Oldest steps whose outputs are left out."""
    steps: int = 0
    """Oldest steps of which only a line each is left, or nothing."""
    output_chars: int | None = None
    """Longest output of all others."""


def build(entries: Sequence[Entry], driver: Driver, window: Window) -> Prompt:
    """Return the next request; what was done longest ago is shortened first until it fits, by an estimate."""
    prompt = Prompt(
        (),
        tuple(tools()) if driver is Driver.TOOLS else (),
        schema() if driver is Driver.SCHEMA else None,
    )
    room = window.context_tokens - window.answer_tokens - window.thinking_tokens
    room -= estimate(json.dumps(prompt.tools)) if prompt.tools else 0
    last = max((entry.step for entry in entries if isinstance(entry, Turn)), default=0)
    shortenings = list(_shortenings(last))
    fitting = bisect_left(
        shortenings, -room, key=lambda shortening: -sum(map(_tokens, _messages(entries, driver, shortening)))
    )
    shortening = shortenings[min(fitting, len(shortenings) - 1)]
    return prompt._replace(messages=tuple(_messages(entries, driver, shortening)))


def estimate(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def _tokens(message: Message) -> int:
    return MESSAGE_TOKENS + sum(map(estimate, (message.content, *(call.arguments for call in message.calls))))


@cache
def instructions(name: str) -> str:
    """Return a file of ``agent/prompts``."""
    return resources.files("agent.prompts").joinpath(f"{name}.md").read_text(encoding="utf-8").strip()


def _shortenings(last: int) -> Iterator[_Shortening]:
    """Yield what to leave out of a transcript with so many steps, from nothing to all that can be."""
    old = max(0, last - KEPT_STEPS) // BLOCK * BLOCK
    yield from (_Shortening(outputs) for outputs in range(0, old + 1, BLOCK))
    yield from (_Shortening(old, steps) for steps in range(BLOCK, old + 1, BLOCK))
    yield from (_Shortening(last - 1, last - 1, chars) for chars in (4000, 2000, 1000, LEAST_CHARS))


def _messages(entries: Sequence[Entry], driver: Driver, shortening: _Shortening) -> Iterator[Message]:
    """Yield the messages; texts for the model that follow each other are one, as templates want roles to alternate."""
    yield Message("system", f"{instructions('system')}\n\n{instructions(f'answer_by_{driver}')}")
    said: list[str] = []
    for message in _spoken(entries, driver, shortening):
        if message.role == "user":
            said.append(message.content)
            continue
        if said:
            yield Message("user", "\n\n".join(said))
            said = []
        yield message
    if driver is Driver.TEXT:
        said.append(_what_next(entries))
    if said:
        yield Message("user", "\n\n".join(said))


def _what_next(entries: Sequence[Entry]) -> str:
    """Return what one that answers by text is asked for in the end."""
    told = [entry.text for entry in reversed(entries) if isinstance(entry, Observation)]
    last = next((text for text in told if TESTS_FAIL in text or TESTS_PASS in text), "")
    if TESTS_FAIL not in last:
        refused = bool(told) and told[0].startswith(NOT_DONE)
        return BY_NOW if has_acted(entries) and not refused else NOT_YET
    there = {path for entry in entries if isinstance(entry, Task) for path in entry.files}
    failed = failed_at(last)
    if failed and all(is_test(path) and path not in there and error == "AssertionError" for path, error in failed):
        return OWN_TESTS.format(paths=" and ".join(dict.fromkeys(path for path, _error in failed)))
    return MEND


def _spoken(entries: Sequence[Entry], driver: Driver, shortening: _Shortening) -> Iterator[Message]:
    step, left_out, call_id, aside = 0, 0, "", ""
    for entry, following in zip_longest(entries, entries[1:]):
        step = entry.step if isinstance(entry, Turn) else step
        match entry:
            case Task():
                yield Message("user", _task(entry))
            case Remark() if entry.by == "june" and step <= shortening.steps:
                pass
            case Remark():
                yield Message("user", entry.text if entry.by == "june" else f"The person says: {entry.text}")
            case Turn() if driver is Driver.TEXT and _brought_nothing(entry, following):
                aside, left_out = "", entry.step  # asked again as if for the first time, and warmer
            case Turn() if entry.step <= shortening.steps - MAX_LINES:
                if entry.step == shortening.steps - MAX_LINES:
                    yield Message("user", f"[steps 1 to {entry.step} left out]")
            case Turn() if entry.step <= shortening.steps:
                done = in_a_line(entry.action) if entry.action else "no action"
                yield Message("user", f"[step {entry.step}, shortened: {done}]")
            case Turn():
                answered = entry.action and isinstance(following, Observation)  # servers want calls answered at once
                call_id = entry.call_id if answered and driver is Driver.TOOLS else ""
                yield _turn(entry, call_id)
                aside = entry.problem
                if aside and entry.action is None:
                    yield Message("user", aside)
            case Observation() if entry.step and entry.step == left_out:
                pass
            case Observation() if entry.step and entry.step <= shortening.steps and not call_id:
                pass  # the answer to a call that is told stays
            case Observation():
                text = _output(entry, shortening)
                yield Message("tool", text, call_id=call_id) if call_id else Message("user", text)
                if aside:
                    yield Message("user", aside)
                call_id = aside = ""


def _brought_nothing(turn: Turn, following: Entry | None) -> bool:
    """Return whether an answer was mere words, or files as they were already: a small model repeats what it reads."""
    if turn.action is None:
        return not turn.problem.startswith(CUT)
    lines = following.text.splitlines() if isinstance(following, Observation) else []
    return bool(lines) and all(line.endswith(UNCHANGED) for line in lines)


def _task(task: Task) -> str:
    tests = f"\n\nThe tests are run by: {task.test_command}" if task.test_command else ""
    files = listing(task.files) if task.files else "The workspace is empty."
    return f"{task.text.strip()}{tests}\n\n{files}"


def _turn(turn: Turn, call_id: str) -> Message:
    if turn.action is None:
        return Message("assistant", cut(turn.text, PROBLEM_CHARS) or "(nothing)")
    if call_id:
        arguments = turn.action.model_dump_json(exclude_defaults=True, exclude={"tool"})
        return Message("assistant", turn.text, (ToolCall(call_id, turn.action.tool, arguments),))
    return Message("assistant", as_json(turn.action) if turn.call_id else turn.text)


def _output(observation: Observation, shortening: _Shortening) -> str:
    text = observation.text
    if 0 < observation.step <= shortening.outputs:
        return f"[output of step {observation.step} left out: {len(text):,} characters]"
    return text if shortening.output_chars is None else cut(text, shortening.output_chars)
