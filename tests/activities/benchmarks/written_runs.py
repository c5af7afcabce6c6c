"""Made-up runs with all that attempts write, stored as a run stores it: for the report, and to look at its page.

``python -m tests.activities.benchmarks.written_runs FOLDER`` writes the pages of some into a folder.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.benchmarks.artefacts import owner_of
from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode, Pinned
from activities.benchmarks.report import ReportActivity, Reported, ReportRequest, dump
from activities.blobs import BlobStore
from activities.coding.storage import CodingStorage, Transcripts
from activities.speech.turns import TurnTimes, figures_of
from agent.actions import Edit, Finish, Read, Run, RunTests
from agent.transcript import Entry, Observation, Remark, Task, Turn
from tests.activities.benchmarks.runs import pinned

ANSWER = '''Here is the function:

```python
from typing import List


def has_close_elements(numbers: List[float], threshold: float) -> bool:
    """Check if any two numbers are closer to each other than the threshold.

    >>> has_close_elements([1.0, 2.0, 3.0], 0.5)
    False
    """
    for index, number in enumerate(numbers):
        for other in numbers[index + 1 :]:
            if abs(number - other) < threshold:
                return True
    return False
```
'''
PATCH = """diff --git a/shop/cart.py b/shop/cart.py
index 3f1c2aa..9b7d001 100644
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -12,7 +12,9 @@ class Cart:
     def total(self) -> Decimal:
-        return sum(item.price for item in self.items)
+        if not self.items:
+            return Decimal(0)
+        return sum(item.price * item.quantity for item in self.items)

     def clear(self) -> None:
         self.items.clear()
"""
PYTEST = (
    "=================================== FAILURES ===================================\n"
    "\x1b[31m_________________________________ test_quantities ______________________________\x1b[0m\n"
    "\n    def test_quantities():\n>       assert Cart([Item('tea', Decimal(3), 2)]).total() == 6\n"
    "E       AssertionError: assert Decimal('3') == 6\n\ntests/test_cart.py:9: AssertionError\n"
    "\x1b[31m1 failed\x1b[0m, 2 passed in 0.04s\n"
)
WRONG = [AttemptOutcome.WRONG] * 8 + [AttemptOutcome.TIMEOUT, AttemptOutcome.LENGTH, AttemptOutcome.FORMAT_ERROR]
WHY = {
    AttemptOutcome.WRONG: "check 3 of 7: expected [2, 3, 5, 7], got [1, 2, 3, 5, 7]",
    AttemptOutcome.TIMEOUT: "no answer from the submission in 10 s",
    AttemptOutcome.LENGTH: "cut at 1,024 tokens",
    AttemptOutcome.FORMAT_ERROR: "no code in the answer",
    AttemptOutcome.LIMITS: "15 steps, and the tests fail",
    AttemptOutcome.MODEL_ERROR: "the model's server did not answer",
}


def transcript(steps: int) -> Iterator[Entry]:
    """Yield what an agent of some steps would have said and seen."""
    yield Task(text="The total of a cart ignores quantities. Make tests/test_cart.py pass.", test_command="pytest -q")
    yield Observation(step=0, text="shop/cart.py\nshop/__init__.py\ntests/test_cart.py")
    actions = [
        Read(path="shop/cart.py"),
        Run(command="grep -rn 'quantity' shop | head"),
        RunTests(),
        Edit(path="shop/cart.py", old="item.price for", new="item.price * item.quantity for"),
    ]
    for step in range(1, steps + 1):
        last = step == steps
        action = Finish(summary="Quantities are counted.") if last else actions[(step - 1) % len(actions)]
        yield Turn(
            step=step, text="Let me look at how the total is made." if step % 2 else "", action=action, call_id="c"
        )
        yield Observation(step=step, text=PYTEST if isinstance(action, RunTests) else "12: return sum(item.price ...)")
    yield Remark(text="The tests pass.", by="june")


async def completions(storage: CodingStorage, tasks: int = 164) -> tuple[Pinned, list[Attempt]]:
    """Return a run of single answers at HumanEval."""
    draw = random.Random(7)  # noqa: S311
    settings = pinned(*(f"HumanEval/{task}" for task in range(tasks)))
    answer = await storage.put(owner_of(settings.run), ANSWER.encode(), "text/plain", "txt")
    run = []
    for task in settings.tasks:
        outcome = AttemptOutcome.SOLVED if draw.random() < 0.7 else draw.choice(WRONG)
        outcome = AttemptOutcome.MODEL_ERROR if task.endswith("/77") else outcome
        run.append(
            Attempt(
                task=task,
                outcome=outcome,
                why=WHY.get(outcome, ""),
                passed=7 if outcome == AttemptOutcome.SOLVED else 2,
                total=7,
                steps=1,
                prompt_tokens=draw.randint(90, 420),
                completion_tokens=round(draw.lognormvariate(4.6, 0.6)),
                model_seconds=draw.lognormvariate(1.4, 0.6),
                sandbox_seconds=draw.uniform(0.4, 1.2),
                waiting_seconds=draw.uniform(0, 0.3),
                faults=("model_error",) if task.endswith("/9") else (),
                answer=answer,
            )
        )
    return settings, run


async def agents(storage: CodingStorage, tasks: int = 34, samples: int = 5) -> tuple[Pinned, list[Attempt]]:
    """Return a run of the agent, several samples each."""
    draw = random.Random(11)  # noqa: S311
    settings = pinned(
        *(f"exercise-{task}" for task in range(tasks)), run="polyglot-agent", mode=Mode.AGENT, samples=samples
    ).model_copy(update={"data_set": "polyglot-python", "temperature": 0.7, "top_p": 0.95, "top_k": 20})
    owner = owner_of(settings.run)
    patch = await storage.put(owner, PATCH.encode(), "text/x-diff", "patch")
    checks = await storage.put(
        owner, b"test_quantities: expected 6, got 3\ntest_empty: raised TypeError\n", "text/plain", "txt"
    )
    run = []
    for task in settings.tasks:
        ease = draw.random()
        for sample in range(samples):
            solved = draw.random() < ease
            outcome = AttemptOutcome.SOLVED if solved else draw.choice([*WRONG, *[AttemptOutcome.LIMITS] * 6])
            steps = draw.randint(3, 15)
            run.append(
                Attempt(
                    task=task,
                    sample=sample,
                    outcome=outcome,
                    why=WHY.get(outcome, ""),
                    passed=9 if solved else 4,
                    total=9,
                    steps=steps,
                    prompt_tokens=steps * 1800,
                    completion_tokens=steps * draw.randint(60, 300),
                    model_seconds=steps * draw.uniform(2, 9),
                    sandbox_seconds=steps * 0.6,
                    waiting_seconds=draw.uniform(0, 20),
                    patch=patch,
                    checks=None if solved else checks,
                    transcript=await Transcripts(storage).append(owner, None, tuple(transcript(steps))),
                )
            )
    return settings, run


def speech() -> tuple[Pinned, list[Attempt]]:
    """Return a run of speech to text."""
    draw = random.Random(3)  # noqa: S311
    names = [
        f"{language}-{noise}-{number}"
        for language in ("de", "en", "es")
        for noise in ("clean", "10dB", "5dB")
        for number in range(4)
    ]
    settings = pinned(*names, run="stt-base", mode=Mode.STT).model_copy(
        update={"data_set": "spoken", "model": "whisper-base"}
    )
    run = []
    for name in names:
        words, sound = draw.randint(8, 30), draw.uniform(4, 14)
        figures = {"sound.seconds": sound}
        for column, factor in (("june", 0.11), ("stock", 0.62)):
            wrong = sum(draw.random() < (0.22 if "5dB" in name else 0.08) for _ in range(words))
            figures |= {
                f"{column}.words": words,
                f"{column}.words_wrong": wrong,
                f"{column}.chars": words * 6,
                f"{column}.chars_wrong": wrong * 2,
                f"{column}.seconds": sound * factor * draw.uniform(0.8, 1.3),
            }
        run.append(Attempt(task=name, outcome=AttemptOutcome.MEASURED, figures=figures))
    return settings, [*run[:-1], Attempt(task=names[-1], outcome=AttemptOutcome.UNMEASURED, why="silence")]


def turns() -> tuple[Pinned, list[Attempt]]:
    """Return a run of turns of chats."""
    draw = random.Random(5)  # noqa: S311
    settings = pinned("turns", run="turns", mode=Mode.TURNS)
    stages = {"fetch": 20, "transcribe": 640, "infer": 900, "synthesize": 310, "reply": 45, "total": 1900}
    chats, messages = 8, 6
    outcomes = [
        TurnTimes(True, {stage: middle * draw.lognormvariate(0, 0.35) for stage, middle in stages.items()})
        for _ in range(chats * messages)
    ]
    figures = figures_of(outcomes, [1] * len(outcomes), 60)
    run = [Attempt(task="turns", outcome=AttemptOutcome.MEASURED, figures=figures)]
    return settings.model_copy(update={"options": {"chats": 8.0, "messages": 6.0}}), run


async def report(storage: CodingStorage, settings: Pinned, run: list[Attempt], seconds: float = 1260) -> Reported:
    """Have the activity report a run."""
    results = await storage.put(owner_of(settings.run), dump(run), "application/jsonl", "jsonl")
    request = ReportRequest(pinned=settings, results=(results,), seconds=seconds, outcome="finished")
    reported: Reported = await ActivityEnvironment().run(ReportActivity(storage).report, request)
    return reported


async def _write(folder: Path) -> None:
    storage = CodingStorage(BlobStore.open("memory://"))
    for settings, run in (await completions(storage), await agents(storage), speech(), turns()):
        reported = await report(storage, settings, run)
        html = await storage.get(reported.report_html, 20_000_000)
        (folder / f"{settings.mode}.html").write_bytes(html)
        sys.stdout.write(f"{settings.mode} {len(html):,} bytes: {reported.score}\n")


if __name__ == "__main__":
    asyncio.run(_write(Path(sys.argv[1])))
