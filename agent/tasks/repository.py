"""Tasks in a repository, as SWE-bench has them: an issue, the tree before it, tests that fail and tests that pass."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from agent.tasks.task import BenchmarkTask, Files, TestRun

ASK = """{text}

The files are:

{files}

Answer with each file that is to change as a whole: its path on a line, then its content in a Python code block.
"""


def _listed(value: Any) -> Any:  # noqa: ANN401 - before it is checked
    return json.loads(value) if isinstance(value, str) else value


Ids = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Of tests, as pytest names them; SWE-bench writes the list as JSON within JSON."""


class Row(BaseModel):
    """A task: SWE-bench's fields, with files instead of a commit and patches, as nothing is fetched."""

    model_config = ConfigDict(hide_input_in_errors=True)

    instance_id: str
    problem_statement: str
    tree: Files
    """The repository at the base commit: no later commit, no hidden test."""
    test_files: Files
    """Those of the test patch, whole; they replace the tree's."""
    reference: Files
    """The files that the reference patch changes, whole."""
    FAIL_TO_PASS: Ids
    PASS_TO_PASS: Ids = ()


def read(data: bytes) -> Iterator[BenchmarkTask]:
    """Read tasks from JSON lines.

    Raises:
        ValueError: they are none.

    """
    for line in data.splitlines():
        if line.strip():
            yield _task(Row.model_validate_json(line))


def _task(row: Row) -> BenchmarkTask:
    if not row.reference:
        raise ValueError(f"{row.instance_id} has no reference")
    text = f"{row.problem_statement.strip()}\n\nChange the code of this repository so that this is done."
    shown = "\n\n".join(f"{path}\n```\n{content.rstrip()}\n```" for path, content in row.tree.items())
    return BenchmarkTask(
        id=row.instance_id,
        text=text,
        files=row.tree,
        prompt=ASK.format(text=text, files=shown),
        answer_path=next(iter(row.reference)),
        reference=row.reference,
        scoring=TestRun(files=row.test_files, fail_to_pass=row.FAIL_TO_PASS, pass_to_pass=row.PASS_TO_PASS),
    )
