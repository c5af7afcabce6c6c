"""Code out of models' answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tasks.answers import defines, submission
from tests.agent.tasks.test_task import TASK

STUB = 'from typing import List\n\ndef double(n):\n    """Twice."""\n'
COMPLETION = TASK.model_copy(
    update={"files": {"solution.py": STUB}, "name": "double", "preamble": "from typing import List\n\n"}
)
CODE = "def double(n):\n    return 2 * n\n"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (f"Here:\n```python\n{CODE}```\nDone.", COMPLETION.preamble + CODE),
        (f"```\n{CODE}```", COMPLETION.preamble + CODE),
        (
            f"```python\nprint(double(2), double(3), double(4), double(5))\n```\n```python\n{CODE}```",
            COMPLETION.preamble + CODE,
        ),
        (f"```python\n{CODE}", COMPLETION.preamble + CODE),
        (f"```bash\npip install x\n```\n```py\n{CODE}```", COMPLETION.preamble + CODE),
        (CODE, COMPLETION.preamble + CODE),
        ("    return 2 * n\n", STUB + "    return 2 * n\n"),
        ("```python\n    return 2 * n\n```", STUB + "    return 2 * n\n"),
    ],
)
def test_the_function_is_taken_out_of_an_answer(answer: str, code: str) -> None:
    assert submission(COMPLETION, answer) == {"solution.py": code}


@pytest.mark.parametrize("answer", ["", "I cannot do that.", "```bash\nls\n```", "```python\n\n```"])
def test_an_answer_without_code_is_none(answer: str) -> None:
    assert submission(COMPLETION, answer) is None


def test_files_by_their_paths() -> None:
    task = TASK.model_copy(update={"files": {"a.py": "1\n", "b.py": "2\n"}, "answer_path": "a.py"})
    answer = "`b.py`:\n```python\n3\n```\n\na.py\n```python\n4\n```\n\n`c.py`\n```python\n5\n```"
    assert submission(task, answer) == {"a.py": "4\n", "b.py": "3\n"}


@given(st.text())
def test_any_answer_is_read(answer: str) -> None:
    found = submission(COMPLETION, answer)
    assert found is None or set(found) == {"solution.py"}


def test_definitions_begin_a_line() -> None:
    assert defines("async def f(): ...", "f")
    assert defines("x = 1\nclass f: ...", "f")
    assert not defines("    def f(): ...\ndef ff(): ...", "f")
