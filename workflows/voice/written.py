"""The written side of an answer: its Markdown as the model writes it, and how much of it was heard."""

import re
from collections.abc import Sequence

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.infer import Inference, Written

_WORD = re.compile(r"\w+")
_END = re.compile(r"[^\w\s]*")


class WrittenAnswer:
    """The text so far; each attempt of the model begins anew."""

    def __init__(self) -> None:
        """Begin with nothing written."""
        self.text = ""
        self._attempt = 0

    def add(self, piece: Written) -> None:
        """Add what was written; of an earlier attempt it comes too late, and of one with a hole before it is left."""
        if piece.attempt > self._attempt:
            self.text, self._attempt = "", piece.attempt
        if piece.written and piece.attempt == self._attempt and piece.start <= len(self.text):
            self.text = self.text[: piece.start] + piece.written

    def complete(self, inference: Inference) -> None:
        """Replace what was signalled by the whole answer."""
        self.text, self._attempt = inference.answer, inference.attempt


def ends_of(written: str, sentences: Sequence[str]) -> list[int]:
    """Return where in a written answer each of its spoken sentences ends, in characters.

    Speech leaves out marks and code, so that a sentence is looked for as a whole, then by its last word.
    """
    ends, end = [], 0
    for sentence in sentences:
        found = written.find(sentence, end)
        words = _WORD.findall(sentence)
        if found >= 0:
            end = found + len(sentence)
        elif words and (found := written.find(words[-1], end)) >= 0:
            end = found + len(words[-1])
        else:
            end = min(len(written), end + len(sentence))
        closing = _END.match(written, end)
        ends.append(closing.end() if closing else end)
    return ends
