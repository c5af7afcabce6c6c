"""Tasks that ask for one function: HumanEval, HumanEval+ and MBPP."""

import ast
import json
import warnings
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.tasks.task import Asserts, BenchmarkTask, Cases, Scoring

FILE = "solution.py"
COMPLETE = """Complete the function `{name}`. Answer with the whole function, with the imports that it needs, \
in one Python code block.

```python
{code}
```
"""
WRITE = """{text}

The function is called as in this example:

```python
{example}
```

Answer with the whole function, with the imports that it needs, in one Python code block.
"""
ACCEPT_ROOT = """

def accept_root(arguments, result):
    return abs(poly(*arguments, result)) <= {tolerance}
"""
"""A polynomial's root is any of several."""


class HumanEvalRow(BaseModel):
    """A row of HumanEval, and what HumanEval+ adds."""

    model_config = ConfigDict(hide_input_in_errors=True)

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str
    base_input: list[list[Any]] | None = None
    plus_input: list[list[Any]] | None = None
    atol: float = 0


class MbppRow(BaseModel):
    """A task of MBPP, sanitized."""

    model_config = ConfigDict(hide_input_in_errors=True)

    task_id: int
    prompt: str
    code: str
    test_imports: list[str]
    test_list: list[str]


def read(data: bytes) -> Iterator[BenchmarkTask]:
    """Read tasks from JSON lines of HumanEval's or HumanEval+'s form, or from a JSON list of MBPP's.

    Raises:
        ValueError: it is no such file.

    """
    if data.lstrip()[:1] == b"[":
        yield from (_mbpp(MbppRow.model_validate(row)) for row in json.loads(data))
        return
    yield from (_human_eval(HumanEvalRow.model_validate_json(line)) for line in data.splitlines() if line.strip())


def _human_eval(row: HumanEvalRow) -> BenchmarkTask:
    solution = f"{row.prompt.rstrip()}\n{row.canonical_solution.lstrip(chr(10))}"
    return BenchmarkTask(
        id=row.task_id,
        text=f"Complete the function `{row.entry_point}` in `{FILE}`, as its docstring says.",
        files={FILE: row.prompt},
        prompt=COMPLETE.format(name=row.entry_point, code=row.prompt.strip()),
        answer_path=FILE,
        name=row.entry_point,
        preamble=_before(row.prompt, row.entry_point),
        reference={FILE: solution},
        scoring=_human_eval_scoring(row, solution),
    )


def _human_eval_scoring(row: HumanEvalRow, solution: str) -> Scoring:
    if row.base_input is None or row.plus_input is None:
        return Asserts(
            module="solution",
            name="candidate",
            function=row.entry_point,
            setup=f"{solution}\n\n{row.test}",
            asserts=("check(candidate)",),
        )
    root = row.entry_point == "find_zero"
    return Cases(
        module="solution",
        function=row.entry_point,
        setup=solution + (ACCEPT_ROOT.format(tolerance=row.atol) if root else ""),
        cases=tuple(row.base_input + row.plus_input),
        tolerance=row.atol,
        accept="accept_root" if root else "",
    )


def _before(prompt: str, name: str) -> str:
    """Return what a prompt has before the function: imports, other functions."""
    for node in _parse(prompt).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return "".join(line + "\n" for line in prompt.splitlines()[: node.lineno - 1]).lstrip("\n")
    raise ValueError(f"the prompt has no function {name}")


def _mbpp(row: MbppRow) -> BenchmarkTask:
    name = _called(row)
    # The one example that the model is shown tells it the function's name and arguments; the others are hidden.
    asked = WRITE.format(text=row.prompt.strip(), example=row.test_list[0].strip())
    return BenchmarkTask(
        id=f"MBPP/{row.task_id}",
        text=f"{row.prompt.strip()}\n\nWrite the function `{name}` into `{FILE}`. For example: `{row.test_list[0]}`",
        files={},
        prompt=asked,
        answer_path=FILE,
        name=name,
        reference={FILE: row.code},
        scoring=Asserts(
            module="solution",
            name=name,
            function=name,
            setup="\n".join([*row.test_imports, *_imports(row.code)]),
            asserts=tuple(row.test_list),
        ),
    )


def _called(row: MbppRow) -> str:
    """Return the function of the reference that all assertions call."""
    defined = {node.name for node in _parse(row.code).body if isinstance(node, ast.FunctionDef)}
    called = [
        {
            node.func.id
            for node in ast.walk(_parse(test))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        for test in row.test_list
    ]
    names = defined.intersection(*called)
    if len(names) != 1:
        raise ValueError(f"MBPP/{row.task_id} does not say which function it tests")
    return names.pop()


def _imports(code: str) -> list[str]:
    """Return a reference's imports: there are assertions that use them."""
    return [ast.unparse(node) for node in _parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]


def _parse(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python takes as they are
        try:
            return ast.parse(code)
        except SyntaxError as error:
            raise ValueError(f"this is no Python: {error}") from error
