"""Made-up runs, as a report and a comparison get them."""

from datetime import UTC, datetime

from activities.benchmarks.attempts import Attempt, AttemptOutcome, Mode, Pinned


def pinned(*tasks: str, run: str = "20261128-0300-abcd", mode: Mode = Mode.COMPLETION, samples: int = 1) -> Pinned:
    """Return what decides a run of these tasks."""
    return Pinned(
        run=run,
        data_set="humaneval",
        data_sha256="b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
        tasks=tasks,
        samples=samples,
        mode=mode,
        model="qwen2.5-coder-1.5b-instruct",
        model_sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        server="llama.cpp b6710",
        temperature=0.0,
        answer_tokens=1024,
        seed=0,
        limits={"steps": 15, "seconds": 900},
        code_version="0.1.0 (591e2c1)",
        isolation="bubblewrap",
        machine="AMD EPYC, 2 cores, 7.8 GB",
        started=datetime(2026, 11, 28, 3, 0, tzinfo=UTC),
    )


def attempts(*outcomes: AttemptOutcome) -> list[Attempt]:
    """Return one attempt at each of the tasks ``0``, ``1``, ..."""
    return [Attempt(task=str(task), outcome=outcome) for task, outcome in enumerate(outcomes)]
