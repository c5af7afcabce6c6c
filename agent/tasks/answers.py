"""Takes the files of a submission out of a model's single answer."""

import ast
import re

from agent.blocks import Block, blocks
from agent.tasks.task import BenchmarkTask, Files

PYTHON = frozenset({"", "python", "py", "python3"})


def submission(task: BenchmarkTask, answer: str) -> Files | None:
    """Return the files that a task has with a model's answer to its prompt; None where the answer holds no code.

    Blocks with the path of one of the task's files become that file. Else one block becomes the task's own file: that
    which defines the task's function, or the longest; where there is no block, the whole answer does, if it is Python.
    """
    found = [block for block in blocks(answer) if block.language in PYTHON and block.content.strip()]
    named = {block.path: block.content for block in found if block.path in {*task.files, task.answer_path}}
    if named and not task.name:
        return task.files | named
    code = _choose(task, found).content if found else _bare(task, answer)
    if not code.strip():
        return None
    return task.files | {task.answer_path: _whole(task, code)}


def defines(code: str, name: str) -> bool:
    """Check whether a function or class of this name is defined at the beginning of a line."""
    return re.search(rf"^(async\s+)?(def|class)\s+{re.escape(name)}\b", code, re.MULTILINE) is not None


def _choose(task: BenchmarkTask, found: list[Block]) -> Block:
    defining = [block for block in found if task.name and defines(block.content, task.name)]
    return max(defining or found, key=lambda block: len(block.content))


def _bare(task: BenchmarkTask, answer: str) -> str:
    """Return an answer that is code and nothing else, a function's body included; else nothing."""
    try:
        ast.parse(_whole(task, answer))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return answer


def _whole(task: BenchmarkTask, code: str) -> str:
    """Return a whole file: code that does not define the function is taken for its body."""
    stub = task.files.get(task.answer_path, "")
    if task.name and stub and not defines(code, task.name) and code[:1] in (" ", "\t"):
        return f"{stub.rstrip()}\n{code}"
    return f"{task.preamble}{code}"
