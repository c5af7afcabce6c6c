"""What a page shows of attempts: what they have written, each cut to its share of the page."""

from collections.abc import Sequence
from typing import NamedTuple

from activities.benchmarks.attempts import FAULTS, Attempt, AttemptOutcome
from activities.benchmarks.written import Written
from activities.pages.plain_text import Shown, page_bytes, shown
from agent.actions import in_a_line
from agent.transcript import Entry, Observation, Remark, Task, Turn

MAX_SHOWN = 2000
"""Attempts on the page; all are in ``results.jsonl``."""
DETAILS_BYTES = 7_000_000
"""Of the page, for what attempts have written; shared alike."""
ATTEMPT_BYTES = 60_000
"""For one of them at most, however few there are."""
ENTRY_BYTES = (8000, 3000, 1000, 400)
"""Of an entry of a transcript: the first at which the transcript fits."""
LAST_ENTRIES = 6
"""Kept of a transcript that fits at none, besides the first."""
GOOD = frozenset({AttemptOutcome.SOLVED, AttemptOutcome.MEASURED})
ODD = FAULTS | {AttemptOutcome.UNMEASURED}


class EntryShown(NamedTuple):
    """An entry of a transcript, or what is left out of one."""

    who: str
    line: str
    """The action in a line."""
    shown: Shown | None


class AttemptShown(NamedTuple):
    """An attempt with what it has written, cut to its share of the page."""

    attempt: Attempt
    kind: str
    answer: Shown | None
    patch: Shown | None
    checks: Shown | None
    entries: tuple[EntryShown, ...]
    missing: bool


def share(attempts: int) -> int:
    """Return how many bytes of a page each of so many attempts may take."""
    return min(ATTEMPT_BYTES, DETAILS_BYTES // max(attempts, 1))


def kind(outcome: AttemptOutcome) -> str:
    """Return how a page colours an outcome."""
    return "good" if outcome in GOOD else "odd" if outcome in ODD else "bad"


def show(attempt: Attempt, written: Written, most: int) -> AttemptShown:
    """Cut what an attempt has written: texts share half of what it may take, or all where there is no transcript."""
    texts = [text for text in (written.answer, written.patch, written.checks) if text]
    for_texts = most if written.transcript is None else most // 2
    answer, patch, checks = (
        shown(text, for_texts // len(texts)) if text else None
        for text in (written.answer, written.patch, written.checks)
    )
    used = sum(page_bytes(one.text) for one in (answer, patch, checks) if one)
    entries = _entries(written.transcript, most - used) if written.transcript else ()
    return AttemptShown(attempt, kind(attempt.outcome), answer, patch, checks, entries, written.missing)


def _entries(transcript: Sequence[Entry], most: int) -> tuple[EntryShown, ...]:
    found: list[EntryShown] = []
    for entry_bytes in ENTRY_BYTES:
        found = [_entry(entry, entry_bytes) for entry in transcript]
        if sum(map(_entry_bytes, found)) <= most:
            return tuple(found)
    kept = [found[0]] if found else []
    last = found[max(1, len(found) - LAST_ENTRIES) :]
    while last and sum(map(_entry_bytes, kept + last)) > most:
        last.pop(0)
    left_out = len(found) - len(kept) - len(last)
    return (*kept, EntryShown("", f"{left_out} entries left out: a page cannot hold them", None), *last)


def _entry(entry: Entry, most: int) -> EntryShown:
    if isinstance(entry, Task):
        return EntryShown("task", "", shown(entry.text, most))
    if isinstance(entry, Observation):
        return EntryShown("observation", "", shown(entry.text, most) if entry.text else None)
    if isinstance(entry, Remark):
        return EntryShown(entry.by, "", shown(entry.text, most))
    return _turn(entry, most)


def _turn(turn: Turn, most: int) -> EntryShown:
    line = in_a_line(turn.action) if turn.action else turn.problem
    text = turn.text
    if turn.call_id and turn.action:  # a native call is beside the text
        arguments = turn.action.model_dump(exclude_defaults=True, exclude={"tool"})
        called = "\n".join(f"{name}: {value}" for name, value in arguments.items())
        text = f"{text}\n\n{called}".strip()
    return EntryShown(f"step {turn.step}", line, shown(text, most) if text else None)


def _entry_bytes(entry: EntryShown) -> int:
    return 200 + page_bytes(entry.line) + (page_bytes(entry.shown.text) if entry.shown else 0)
