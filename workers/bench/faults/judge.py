"""What became of a campaign's messages: lost, doubled, uncertain, out of order, badly remembered.

Pure: from records to figures and to sentences that name what is wrong.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from workers.bench.faults.dialogue import read

LEAST_REMEMBERED = 9
"""Turns word for word that a prompt has at least, where there were so many, even while a summary is late."""
ANSWERED = "answered"
UNCERTAIN = "reply-uncertain"


class Outcome(NamedTuple):
    """What became of one message."""

    platform: str
    chat: str
    number: int
    """Place of the message in its chat, from 1 on."""
    status: str | None
    """Of its turn's result; None where it has none."""
    error: str | None
    """Code in the result."""
    answer: str
    """In the result."""
    texts: tuple[str, ...]
    """What the platform has of replies to it, without voice notes."""
    voices: int
    """Voice notes that the platform has in reply to it."""
    place: float | None
    """Where the answer stands in the chat: any number that grows; None where the platform has none."""
    told: bool = True
    """The person was told of a failure, where there was one."""
    keeps: bool = True
    """The platform keeps texts to be counted; otherwise the result is all there is."""


@dataclass
class Verdict:
    """Figures over all messages."""

    turns: int = 0
    answered: int = 0
    """Exactly once, as far as the platform shows."""
    uncertain: int = 0
    """Of which june does not know whether they arrived, and says so in the turn's result."""
    uncertain_arrived: int = 0
    """Of those: there all the same."""
    without_voice: int = 0
    """Answered in writing, with a word on why there is no voice note."""
    failed_told: int = 0
    """Given up, with a sentence to the person."""
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    wrong_memory: int = 0
    remembered_all: int = 0
    """Turns whose prompt held all turns before, by the summary or word for word; others had lost the oldest."""
    faults: list[str] = field(default_factory=list)
    """What is wrong, in a sentence each."""


def judge(outcomes: Sequence[Outcome]) -> Verdict:
    """Judge all messages of a campaign."""
    verdict, chats = Verdict(turns=len(outcomes)), defaultdict[str, list[Outcome]](list)
    for outcome in outcomes:
        chats[outcome.chat].append(outcome)
        _judge_one(outcome, verdict)
    for chat in chats.values():
        chat.sort(key=lambda outcome: outcome.number)
        _judge_order(chat, verdict)
        _judge_memory(chat, verdict)
    return verdict


def _judge_one(outcome: Outcome, verdict: Verdict) -> None:
    name = f"message {outcome.number} of chat {outcome.chat}"
    answers = [read(text) for text in outcome.texts]
    arrived = [found for found in answers if found]
    wrong = [found for found in arrived if (found.chat, found.number) != (outcome.chat, outcome.number)]
    if len(arrived) > 1 or outcome.voices > 1 or wrong:
        verdict.doubled += 1
        verdict.faults.append(f"{name}: {len(arrived)} answers ({len(wrong)} to others), {outcome.voices} voice notes")
    elif outcome.error == UNCERTAIN:
        verdict.uncertain += 1
        verdict.uncertain_arrived += bool(arrived)
    elif outcome.status == ANSWERED and (arrived or (not outcome.keeps and read(outcome.answer))):
        verdict.answered += 1
        verdict.without_voice += bool(outcome.error)
    elif outcome.status in {"failed", "refused"} and outcome.told:
        verdict.failed_told += 1
        verdict.faults.append(f"{name}: {outcome.status}, {outcome.error}, and told")
    else:
        verdict.lost += 1
        verdict.faults.append(f"{name}: lost ({outcome.status}, {outcome.error}, {len(outcome.texts)} texts)")


def _judge_order(chat: Sequence[Outcome], verdict: Verdict) -> None:
    latest: Outcome | None = None
    for outcome in chat:
        if outcome.place is None:
            continue
        if latest and latest.place is not None and outcome.place < latest.place:
            verdict.out_of_order += 1
            verdict.faults.append(f"message {outcome.number} of chat {outcome.chat}: answered before {latest.number}")
        latest = outcome


def _judge_memory(chat: Sequence[Outcome], verdict: Verdict) -> None:
    """See that each prompt held answered turns before it, in order: all, or at least the last of them.

    Of those before these it may hold the first, too: a summary that was made in time, once.
    """
    said: list[int] = []
    for outcome in chat:
        if outcome.status != ANSWERED:
            continue
        found = read(outcome.answer)
        before = found.before if found else None
        last = said[-LEAST_REMEMBERED:]
        known = [number for number in said if before and number in before]
        if before is None or list(before) != known or known[-LEAST_REMEMBERED:] != last:
            verdict.wrong_memory += 1
            held = outcome.answer if before is None else before
            verdict.faults.append(f"message {outcome.number} of chat {outcome.chat}: its prompt held {held}")
        elif len(before) == len(said):
            verdict.remembered_all += 1
        said.append(outcome.number)
