"""What people say and what the model answers in a fault campaign: each answer tells which turns its prompt held.

Pure: the model server, which answers, and the judge, who reads the answers, share it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from workflows.voice.memory import SUMMARY_PROMPT

NOTHING = "nothing"
_QUESTION = re.compile(r"Chat (?P<chat>\w+) says number (?P<number>\d+)\.")
_ANSWER = re.compile(r"Chat (?P<chat>\w+) is answered number (?P<number>\d+)\. Before it came (?P<before>[\w ,-]+)\.")
_SUMMARY = re.compile(r"Chat (?P<chat>\w+) had (?P<before>[\d, -]+)\.")


class Answered(NamedTuple):
    """What an answer says of itself."""

    chat: str
    number: int
    before: tuple[int, ...] | None
    """Numbers of the turns that the prompt held, in its order; None where it held something that was never said."""


def question(chat: str, number: int) -> str:
    """Return what is said in a chat; numbers begin at 1."""
    return f"Chat {chat} says number {number}."


def answer(messages: Sequence[Mapping[str, object]]) -> str:
    """Answer a prompt, or summarise one, by what it holds.

    Args:
        messages: as OpenAI's protocol has them.

    """
    system, *spoken = [(str(message["role"]), str(message["content"])) for message in messages]
    asked = _QUESTION.search(spoken[-1][1]) if spoken else None
    if SUMMARY_PROMPT[:40] in system[1]:
        return _summary(spoken[-1][1])
    if asked is None:
        return "Hello."
    chat, number = asked["chat"], asked["number"]
    before = _before(chat, system[1], spoken[:-1])
    told = NOTHING if before == [] else _ranges(before) if before is not None else "something wrong"
    return f"Chat {chat} is answered number {number}. Before it came {told}."


def read(text: str) -> Answered | None:
    """Read an answer, wherever it stands in a text; None where there is none."""
    found = _ANSWER.search(text)
    if found is None:
        return None
    told = found["before"]
    before = () if told == NOTHING else _numbers(told)
    return Answered(found["chat"], int(found["number"]), before)


def _before(chat: str, system: str, spoken: Sequence[tuple[str, str]]) -> list[int] | None:
    """Return the numbers that a prompt holds; None where a turn is another chat's, or has another's answer."""
    summary = _SUMMARY.search(system)
    held = list(_numbers(summary["before"]) or ()) if summary else []
    if summary and summary["chat"] != chat:
        return None
    for (asks, said), (answers, told) in zip(spoken[::2], spoken[1::2], strict=True):
        asked, answered = _QUESTION.search(said), _ANSWER.search(told)
        if (asks, answers) != ("user", "assistant") or asked is None or answered is None:
            return None
        if {asked["chat"], answered["chat"]} != {chat} or asked["number"] != answered["number"]:
            return None
        held.append(int(asked["number"]))
    return held


def _summary(text: str) -> str:
    """Summarise a summary and the turns after it."""
    earlier = _SUMMARY.search(text)
    held = list(_numbers(earlier["before"]) or ()) if earlier else []
    asked = list(_QUESTION.finditer(text))
    chats = {found["chat"] for found in asked} | ({earlier["chat"]} if earlier else set())
    held += [int(found["number"]) for found in asked]
    return f"Chat {chats.pop() if len(chats) == 1 else 'mixed'} had {_ranges(held)}."


def _ranges(numbers: Iterable[int]) -> str:
    """Write numbers in their order, runs of them as ``1-7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _numbers(ranges: str) -> tuple[int, ...] | None:
    """Read what ``_ranges`` has written; None where it is nothing of the kind."""
    numbers: list[int] = []
    for run in ranges.split(", "):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", run)
        if found is None:
            return None
        numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return tuple(numbers)
