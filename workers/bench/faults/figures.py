"""The figures of a campaign, and the table of docs/reliability.md."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel, computed_field


class FaultFigures(BaseModel):
    """What ``june bench faults --json`` prints."""

    seed: int
    chats: int
    turns: int
    minutes: float
    """From the first message until the last turn had ended."""
    done: dict[str, int]
    """Faults by kind."""
    answered: int
    """Exactly once."""
    uncertain: int
    """Of which june does not know whether they arrived, and says so in the turn's result."""
    uncertain_arrived: int
    """Of those: there all the same."""
    uncertain_told: int
    """Of those: a sentence in the chat says so to the person."""
    without_voice: int
    """Answered in writing, with a word on why there is no voice note."""
    failed_told: int
    """Given up, with a sentence to the person."""
    lost: int
    doubled: int
    out_of_order: int
    wrong_memory: int
    remembered_all: int
    """Turns whose prompt held all turns before; the others had lost the oldest of them."""
    left_processes: list[str]
    left_files: list[str]
    left_workflows: list[str]
    """Turns that had not ended, and chats that were not at rest, when nothing had gone wrong for a while."""
    faults: list[str]
    """What is wrong with the messages, in a sentence each."""

    @computed_field  # type: ignore[prop-decorator] # as pydantic's documentation has it
    @property
    def kills(self) -> int:
        """Processes that were killed without a warning."""
        return sum(count for kind, count in self.done.items() if kind.startswith("kill "))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        """Nothing lost, doubled, given up, out of order, badly remembered or left behind, and no doubt untold."""
        untold = self.uncertain - self.uncertain_told
        bad = untold + self.lost + self.doubled + self.failed_told + self.out_of_order + self.wrong_memory
        return not (bad or self.left_processes or self.left_files or self.left_workflows)


def _left(run: FaultFigures) -> str:
    return ", ".join(str(len(left)) for left in (run.left_processes, run.left_files, run.left_workflows))


ROWS: tuple[tuple[str, Callable[[FaultFigures], str]], ...] = (
    ("turns, on chats", lambda run: f"{run.turns:,} on {run.chats}"),
    ("minutes", lambda run: f"{run.minutes}"),
    ("processes killed by `kill -9`", lambda run: f"{run.kills}"),
    ("other faults", lambda run: f"{sum(run.done.values()) - run.kills}"),
    ("lost", lambda run: f"{run.lost}"),
    ("doubled", lambda run: f"{run.doubled}"),
    ("given up, and the person told", lambda run: f"{run.failed_told}"),
    ("uncertain, as the turn's result says", lambda run: f"{run.uncertain}"),
    ("of these had arrived", lambda run: f"{run.uncertain_arrived}"),
    ("of these people were told", lambda run: f"{run.uncertain_told}"),
    ("answered without a voice note, and told why", lambda run: f"{run.without_voice}"),
    ("out of order", lambda run: f"{run.out_of_order}"),
    ("prompts with a wrong memory", lambda run: f"{run.wrong_memory}"),
    ("prompts with all turns before", lambda run: f"{run.remembered_all:,}"),
    ("processes, files, open turns left behind", _left),
)
"""Rows of the table: what, and from a campaign to its cell."""


def table(runs: Sequence[FaultFigures]) -> str:
    """Return campaigns as a Markdown table, a column each; below it the faults by kind."""
    head = ["| seed | " + " | ".join(str(run.seed) for run in runs) + " |", "|---" * (len(runs) + 1) + "|"]
    rows = [f"| {label} | " + " | ".join(cell(run) for run in runs) + " |" for label, cell in ROWS]
    kinds = [kind for kind in runs[0].done if any(run.done.get(kind) for run in runs)]
    rows += [f"| {kind} | " + " | ".join(str(run.done.get(kind, 0)) for run in runs) + " |" for kind in kinds]
    return "\n".join([*head, *rows])
